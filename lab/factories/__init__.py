"""What makes machines of each kind and deletes them from the records alone: namespaces, containers, virtual machines.

`lab.machines` reaches machines whichever way they were made; it imports nothing of this.
"""
