"""The door for people: `retention_lab.open` a source file, or hand in frames, and ask the `lab`.

`lab.` and the tabulator key list what can be asked; each answer shows itself, and gives `.frame`,
`.chart` and `.sentence`. Nothing is imported here: who needs one answer does not wait for all.
"""
