"""What a run established, as pictures and one self-contained page.

- ``write_report(document, directory)``: write the page and the plots the document supports
- ``available()``: None when plots can be drawn, else the remedy in one line
- ``read_document(path)``, ``validate_document(value)``: a run's JSON, or ``ValueError`` in one line

Rooms: ``document`` (the door), ``style`` (palette, figures, files), ``page`` and ``details``
(HTML). Figures are in the folders of the families. matplotlib is imported only when something is
drawn.
"""

from theorems.report.document import read_document, validate_document
from theorems.report.writing import available, write_report

__all__ = ["available", "read_document", "validate_document", "write_report"]
