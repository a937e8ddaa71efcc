# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Each target calls a script in tools/, which can be run on its own too. `make` alone shows what there is.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint sanity units roles integration molecule faults package bench lab lab-stop lock clean

# The Python that makes .venv; by default the first of python3.13, python3.12, python3.11 and python3 that will do.
export PYTHON
# The part of the demo to run: ecs, kubernetes or rancher. By default all parts.
ONLY ?=

RUN = .venv/bin/python
LAB = PYTHONPATH=tests $(RUN) -m lab

help: ## show this
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { gsub(" ", "|", $$1); printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv with all that the demo needs
	@tools/setup.sh demo

demo: setup ## bring up, use and take down every part on the lab, with a report (ONLY=ecs, kubernetes or rancher: one part)
	@$(RUN) tools/demo.py $(ONLY)

test: ## everything below, at once; ends with "N passed, N failed"
	@tools/setup.sh test
	@$(RUN) tools/test.py

lint sanity units roles integration molecule package: ## one stage of the tests
	@tools/setup.sh test
	@$(RUN) tools/test.py $@

faults: ## the whole crash matrix (make test runs a sample of it)
	@tools/setup.sh test
	@PYTHONPATH=tests $(RUN) -m faults

bench: ## the same job by us, by today's modules and by a plain script, side by side (ONLY=ecs, dns, services, droplets, kubernetes or rancher: one part)
	@tools/setup.sh test
	@PYTHONPATH=tests:tools $(RUN) -m bench $(if $(ONLY),--only $(ONLY))

lab: setup ## start the embedded clouds, leave them running, print the exports to use
	@$(LAB) start
	@$(LAB) exports
	@echo "export ANSIBLE_CONFIG=$(CURDIR)/tools/ansible.cfg"
	@echo "# stop it: make lab-stop"

lab-stop: ## stop them
	@$(LAB) stop

lock: setup ## renew the exact versions in tools/requirements*.txt
	@tools/lock.sh

clean: ## stop the lab, remove .venv, .cache and everything else that was made here
	@if [ -f .cache/lab/lab.json ] && [ -x $(RUN) ]; then $(LAB) stop; fi
	@rm -rf .venv .cache .ansible collections/ansible_collections tests/output *.tar.gz
