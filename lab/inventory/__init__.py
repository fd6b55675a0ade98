"""Inventories: the hosts of a lab from a file or a command, instead of `[[machines.hosts]]` in the lab file.

Read are a list of the lab's own (TOML or JSON, the keys of `lab.spec.MachineHost`), Ansible's inventories in INI and YAML with their
group_vars and host_vars, and the JSON that Ansible's inventory scripts and `ansible-inventory --list` print.

ansible-core is not used as a library: its inventory classes are no public API, they read ansible.cfg and load plugins, and the package
brings six others. What only Ansible can evaluate (templates, vaults, plugins) is refused with the remedy
`inventory_command = ["ansible-inventory", "--inventory", "hosts.yaml", "--list"]`, by which Ansible evaluates it itself.
"""
