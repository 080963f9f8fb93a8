"""What people see: plain data in, HTML, SVG and PDF out. Knows none of the other packages."""
