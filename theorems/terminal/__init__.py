"""What every verb of the command shares, whatever it does.

- ``screen``: consoles (colour only where it is wanted), styles, tables, numbers as text
- ``typesetting``: SymPy expressions as Unicode mathematics that fits the width
- ``progress``: what is seen while a verb runs
- ``refusals``: bad usage and input, told in one line
- ``streams``, ``signals``: standard output and error, and signals, of the process
- ``exit_statuses``: how a command ends; ``defects``: what is said of a defect of ours
"""
