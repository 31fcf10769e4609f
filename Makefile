# Discreet. `make` alone prints this help; each target sets up what it needs.

PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python
MANAGE := $(RUN) manage.py
PYTEST := $(RUN) -m pytest
WORKERS ?= auto
PIP = $$([ -x $(BIN)/pip ] && echo $(RUN) -m pip || echo $(PYTHON) -m pip --python $(RUN))
ARGS ?=

# As a finished live place is set; nothing is called.
LIVE := ENVIRONMENT=live ALLOWED_HOSTS=discreet.example STRIPE_API_KEY=rk_live_none \
	STRIPE_WEBHOOK_SECRET=whsec_none EMAIL_URL='smtp://localhost?from=none@agency.example' \
	DATABASE_URL='postgresql://db.example/discreet?sslmode=verify-full' \
	BACKUP_KEY=$$($(RUN) -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())') \
	SECRET_KEY=$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(50))')

RUNTIME := .venv/runtime-is-in
TOOLS := .venv/tools-are-in
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/django.po))

.DEFAULT_GOAL := help
.PHONY: help install demo test check format browser office coverage long pictures messages clean

help: ## print this help
	@echo "make TARGET, where TARGET is"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

install: $(RUNTIME) $(CATALOGUES) ## make .venv and put the packages in it

demo: install ## load a sample agency, run three months, serve it (ARGS="--reset": begin anew)
	$(MANAGE) demo $(ARGS)

test: $(TOOLS) $(CATALOGUES) ## run the tests on SQLite and on PostgreSQL
	$(PYTEST) -q -n $(WORKERS) --database sqlite $(ARGS)
	$(PYTEST) -q -n $(WORKERS) --database postgresql $(ARGS)

check: $(TOOLS) $(CATALOGUES) ## check style, types, imports, migrations, settings, translations, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo --cache-dir var/imports
	$(BIN)/mypy
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) spectacular --validate --fail-on-warn --file /dev/null
	$(LIVE) $(MANAGE) check --deploy --fail-level WARNING
	$(LIVE) $(MANAGE) collectstatic --no-input --clear --verbosity 0
	$(PYTEST) -q --no-header tests/test_architecture.py tests/test_catalogue.py tests/test_docs.py

format: $(TOOLS) ## lay out the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

browser: $(TOOLS) $(CATALOGUES) ## drive the pages in Chromium
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
		{ echo "make browser needs Chromium (Debian: apt-get install chromium)."; exit 1; }
	$(PYTEST) -q --only browser $(ARGS)

office: $(TOOLS) $(CATALOGUES) ## open the workbooks in LibreOffice
	@command -v soffice >/dev/null && command -v pdftoppm >/dev/null || \
		{ echo "make office needs LibreOffice and poppler (Debian: apt-get install" \
		  "libreoffice-calc-nogui poppler-utils)."; exit 1; }
	$(PYTEST) -q --only office $(ARGS)

coverage: $(TOOLS) $(CATALOGUES) ## show which lines and branches no test reaches
	$(PYTEST) -q -n $(WORKERS) --cov --cov-report term $(ARGS)

long: $(TOOLS) $(CATALOGUES) ## run what takes hours: every moment to die at, 100,000 lives, mutants
	$(PYTEST) -q -n $(WORKERS) --only long --database sqlite $(ARGS)
	$(PYTEST) -q -n $(WORKERS) --only long --database postgresql $(ARGS)

pictures: $(TOOLS) $(CATALOGUES) ## take the pictures of the README (needs Chromium)
	$(RUN) -m tests.pictures

messages: $(TOOLS) ## bring locale/ up to date with the sources
	$(RUN) -m tests.catalogue update

clean: ## remove .venv and what can be made again in var; databases and keys stay
	rm -rf .venv var/ruff var/mypy var/pytest var/imports var/coverage var/static var/mail
	rm -rf var/demo/workbooks var/demo/*.log

# Debian parts `venv` from Python: without ensurepip the pip of the system fills the environment.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Discreet needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
		$(PYTHON) -m venv .venv; \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		$(PYTHON) -m venv --without-pip .venv; \
	else \
		echo "Discreet needs pip (Debian: apt-get install python3-pip)."; exit 1; \
	fi

$(RUNTIME): requirements.txt | .venv/bin/python
	@echo "Installing $< into .venv ..."
	@$(PIP) install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(TOOLS): requirements-dev.txt $(RUNTIME)
	@echo "Installing $< into .venv ..."
	@$(PIP) install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

locale/%.mo: locale/%.po $(RUNTIME)
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@
