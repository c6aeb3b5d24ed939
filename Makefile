# Everything here is one call to a tool; the logic lives in ansible/, images/ and tests/.
ARCHIVE ?= gaia
ENV     ?= dev
CLUSTER ?= bare
REGISTRY ?=
export ALMAGEST_CACHE ?= $(HOME)/.cache/almagest
export ALMAGEST_STATE ?= /var/lib/almagest

SETUP = ansible/setup --archive $(ARCHIVE) --environment $(ENV) --cluster $(CLUSTER) --registry '$(REGISTRY)'
TOOL  = $(SETUP) exec --with dev --

.DEFAULT_GOAL := help
.PHONY: help up down cluster images test unit lint types bench docs lock

help:     ; @$(SETUP) --help
up:       ; @$(SETUP) up
down:     ; @$(SETUP) down $(if $(YES),--yes) $(if $(DELETE_RETAINED),--delete-retained)
cluster:  ; @$(SETUP) cluster
images:   ; @$(SETUP) images

test:     ; @$(TOOL) python tests/run.py
unit:     ; @$(TOOL) pytest -m 'not integration and not e2e'
lint:     ; @$(TOOL) python tests/run.py lint
types:    ; @$(TOOL) python tests/run.py types
bench: up ; @PYTHONPATH=tests:ansible:operator $(TOOL) python -m load.bench $(ONLY)
docs:     ; @$(TOOL) python -m almagest_operator.model.reference
lock:     ; @$(TOOL) python requirements/lock.py
