"""The register's first tables: places, wards, sectors, licences, payments, targets.

The statements stand in 0001_register.sql as they were when this migration was made: a migration never changes.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
