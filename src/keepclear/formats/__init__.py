"""The world's files: one module for each format, read into plans and written from reports."""
