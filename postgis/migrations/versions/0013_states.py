"""What the register knew of each establishment and when, visits, and the cells of the adoption map.

The statements stand in 0013_states.sql as they were when this migration was made: a migration never changes.
"""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
