"""Alembic's entry point. The connection is always handed over by `postgis.migrate`: one transaction for everything."""

from alembic import context

from postgis.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="schema_version",
    version_table_schema="register",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
