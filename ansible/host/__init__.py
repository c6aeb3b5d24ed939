"""What `make` asks of this machine: checks, virtual environments, the compiled Kubernetes, and the playbooks.

Standard library only, Python 3.11 or newer: this runs before anything is installed.
"""
