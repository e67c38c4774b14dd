"""What every verb of the command shares, whatever it does.

- ``screen``: consoles (colour only where it is wanted), styles, tables,
  refusals, numbers as text
- ``progress``: what is seen while a verb runs
- ``streams``: standard output and error of the process
- ``exit_statuses``: how a command ends, and the errors and signals that lead to it; ``defects``:
  what is said of a defect of ours
"""
