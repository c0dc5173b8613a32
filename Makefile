# Everything goes through one script that finds Python and makes the environment first.
PYTHON ?= python3
LOCAL = $(PYTHON) deploy/local/bootstrap.py

.PHONY: demo test check bench shell reset docs messages format lock

demo:  ## set up everything and serve a platform with demo data (PORT, DATA_DIR)
	@$(LOCAL) demo

test:  ## set up and run the tests
	@$(LOCAL) test $(ARGS)

check:  ## format, lint, types, layers, migrations, translations, docs
	@$(LOCAL) check

bench:  ## measure, and write benchmarks/RESULTS.md
	@$(LOCAL) bench

shell:  ## a Python shell on the demo's data
	@$(LOCAL) manage shell

reset:  ## remove the data of the demo
	@$(LOCAL) reset

docs:  ## write the pages of docs/ that are made from code
	@$(LOCAL) docs

messages:  ## bring the translation files up to date with the code (needs gettext)
	@$(LOCAL) messages

format:  ## write the format that `make check` asks for
	@$(LOCAL) format

lock:  ## compile requirements/*.txt from pyproject.toml
	@$(LOCAL) lock
