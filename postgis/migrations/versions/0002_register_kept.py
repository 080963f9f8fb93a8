"""The register is kept: people, rights, history, proposals, personal data, photos; versions and ends of dated records.

The statements stand in 0002_register_kept.sql as they were when this migration was made: a migration never changes.
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
