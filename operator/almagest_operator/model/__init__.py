"""What an archive is: the custom resources, and the words in which the rest of the operator speaks of them.

One noun a module. Pure: nothing in here talks to a cluster, reads a clock or draws a random number.
"""
