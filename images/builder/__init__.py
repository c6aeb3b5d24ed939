"""Builds the images with buildah; an unchanged image costs the reading of its inputs and nothing else."""
