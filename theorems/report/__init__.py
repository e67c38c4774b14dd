"""What a run established, as pictures and one self-contained page.

- ``write_report(document, directory)``: write the page and the plots the document supports
- ``available()``: None when plots can be drawn, else the remedy in one line
- ``document_of(results)``: a run's JSON value
- ``read_earlier(path)``: an earlier run or a ledger, for a report to be compared with
- ``read_document(path)``, ``validate_document(value)``: a run's JSON, or ``ValueError`` in one line

Rooms: ``document`` (the JSON value), ``provenance`` (where a run came from), ``page`` (HTML, from
``templates``), ``summary`` (the lists it opens with), ``sections`` (one statement), ``chart``,
``values``, ``comparison`` (with an earlier run), ``pictures`` and ``style`` (figures). Figures are
in the folders of the families. matplotlib and Jinja are imported only when something is drawn.
"""

from theorems.report.comparison import Earlier, read_earlier
from theorems.report.document import document_of, read_document, validate_document
from theorems.report.page import available, write_report

__all__ = [
    "Earlier",
    "available",
    "document_of",
    "read_document",
    "read_earlier",
    "validate_document",
    "write_report",
]
