# The commands of this repository. The first two need Go and nothing else.

GOLANGCI_LINT_VERSION := v2.15.0
ACTIONLINT_VERSION := v1.7.12
# What is built for AWS: without lambda.norpc, net/rpc would keep every method of the EC2 client in the binary.
BUILD := CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags='-s -w'
MAX_ZIP_BYTES := 5000000
# A transmitter of Shared Signals that we did not write.
KEYCLOAK_VERSION := 26.7.3
KEYCLOAK := https://repo1.maven.org/maven2/org/keycloak/keycloak-quarkus-dist/$(KEYCLOAK_VERSION)/keycloak-quarkus-dist-$(KEYCLOAK_VERSION).zip

SHELL := bash

.DEFAULT_GOAL := help
.PHONY: help run invoke serve test random policy check lint race fuzz template rules clients pages pictures size arm64 platforms sam rehearse bench build release reproducible clean good-policy build-Responder build-Connect build-Receive build-Poll

# $(call need,commands,what): ends the recipe where a command is not here. In CI that is an error, elsewhere it is said.
need = for c in $(1); do command -v $$c >/dev/null && continue; echo "NOT CHECKED: $(2). It needs $$c." >&2; test "$$CI" != true; exit; done

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The trap leaves Ctrl-C to what runs in the shell: also while it compiles, make has no error to report.
CLIENTVPN = trap : INT; { test -x bin/clientvpn || echo "Compiling. The first time AWS's EC2 package takes a minute or two." >&2; } && go build -o bin/clientvpn ./cmd/clientvpn && bin/clientvpn
# Ctrl-C ends the tool with 130, which is no error.
INTERRUPTED = test $$? = 130

run: ## the main job on this machine: every event in events/, a small company, the real programs
	@$(CLIENTVPN) run || $(INTERRUPTED)

invoke: ## one event the same way: make invoke EVENT=events/okta/user-deactivate.json [MODE=enforce]
	@test -n "$(EVENT)" || { echo "name an event: make invoke EVENT=events/okta/user-deactivate.json" >&2; exit 2; }
	@export MODE="$(MODE)"; $(CLIENTVPN) invoke "$(EVENT)" || $(INTERRUPTED)

serve: ## the stand-in for EC2 and SNS alone, for the AWS CLI and SDKs
	@$(CLIENTVPN) serve || $(INTERRUPTED)

test: ## all tests
	@echo "Testing. The first time this compiles AWS's EC2 package, which takes a minute or two."
	go test ./...
	@{ .tools/venv/bin/python -c 'import moto.server' || python3 -c 'import moto.server'; } 2>/dev/null || \
		echo "NOT TESTED against an SNS and a DynamoDB of others, as Python has no moto here: 'make .tools/venv/done' fetches it."

# The days that chance makes in a check are the commit's own, so that a check that is run again is the same check.
check: FIRST = $(shell git log -1 --format=%ct 2>/dev/null || echo 1)
check: .tools/venv/done lint test random policy race fuzz template rules clients pages size arm64 platforms reproducible sam rehearse ## everything that CI runs

lint: .tools/golangci-lint .tools/actionlint ## linters of code and workflows; limits on lengths; plain English
	go mod verify
	go vet ./...
	.tools/golangci-lint run ./...
	go test . -run '^Test(Limits|Prose)'
	.tools/actionlint

random: ## faults and events by chance, for the better part of a minute; prints its seeds
	go test ./cmd/handler -run '^TestRandomDays$$' -count 1 -v -lasting 50s -first $(or $(FIRST),0)

policy: ## your policy's test cases, in cases/
	@$(CLIENTVPN) check cases/

race:
	go test -race ./internal/... ./cmd/...

# So many tries of each, and not so much time: Go takes the end of the time for a failure where the machine is busy.
FUZZ := internal/signal:FuzzParse:200000x internal/signal:FuzzCut:100000x internal/signal:FuzzParseCut:60000x \
	internal/vpn:FuzzRowFilter:15000x internal/policy:FuzzParse:60000x internal/policy:FuzzGlob:80000x \
	internal/policy:FuzzCovers:100000x internal/connect:FuzzRequest:40000x internal/door:FuzzEnter:20000x internal/door:FuzzBody:20000x

fuzz: ## fuzz the parsers of events, pages, policy and connect requests; FUZZTIME=10m for longer
	@for f in $(FUZZ); do IFS=: read -r package name tries <<< "$$f"; \
		go test ./$$package -run '^$$' -fuzz "^$$name\$$" -fuzztime $${FUZZTIME:-$$tries} -fuzzminimizetime 100x || exit; done

# AWS Control Tower's proactive rules, with the program that asks them.
GUARD := @cdklabs/cdk-validator-cfnguard@0.0.62
GUARD_SHA256 := 660c14562d4c79d524d0623d80d494e41797acae9da23ecb10915d7f66ada80c

template: .tools/venv/done .tools/transformed.json
	.tools/venv/bin/cfn-lint -r eu-west-1 -- template.yaml member-role.yaml forward-events.yaml
	.tools/venv/bin/cfn-lint -r eu-west-1 -- .tools/transformed.json
	@test .tools/checkov/done -nt .ci/requirements-checkov.txt || { echo "Installing checkov." && python3 -m venv .tools/checkov && \
	.tools/checkov/bin/pip install --quiet --disable-pip-version-check -r .ci/requirements-checkov.txt && touch .tools/checkov/done; } || \
	{ echo "NOT CHECKED: checkov's rules. It cannot be installed." >&2; test "$$CI" != true; exit; }; \
	.tools/checkov/bin/checkov --config-file .ci/checkov.yaml -f .tools/transformed.json member-role.yaml forward-events.yaml
	@$(call need,npm,Control Tower's rules); \
	test -e .tools/guard/$(GUARD_SHA256) || { rm -rf .tools/guard && mkdir -p .tools/guard && \
	npm pack --silent --pack-destination .tools/guard $(GUARD) > .tools/guard/name && \
	(cd .tools/guard && echo "$(GUARD_SHA256)  $$(cat name)" | sha256sum --check --quiet && tar xzf "$$(cat name)" && touch $(GUARD_SHA256)); } || \
	{ echo "NOT CHECKED: Control Tower's rules. They cannot be fetched." >&2; test "$$CI" != true; exit; }; \
	.tools/venv/bin/python .ci/guard.py .tools/guard/package .tools/transformed.json member-role.yaml forward-events.yaml

rules: .tools/transformed.json ## every rule of the template against every event, by EventBridge's own matcher
	@$(call need,java mvn,the rules of template.yaml against events/); \
	test .tools/ruler -nt .ci/pom.xml || mvn -q -B -f .ci/pom.xml dependency:copy-dependencies -DoutputDirectory="$(CURDIR)/.tools/ruler" && touch .tools/ruler && \
	java -cp '.tools/ruler/*' .ci/Rules.java .tools/transformed.json events

clients: .tools/venv/done
	.tools/venv/bin/python .ci/clients.py

# GitHub's machines have Google's build.
CHROMIUM ?= $(firstword $(foreach browser,chromium chromium-browser google-chrome,$(shell command -v $(browser) 2>/dev/null)) chromium)

pages: ## the pages of clientvpn report, in a browser: nothing overflows, runs or loads
	@$(call need,$(CHROMIUM) python3,the pages of clientvpn report in a browser); python3 .ci/pages.py $(CHROMIUM)

pictures: .tools/venv/done ## draw the pictures of the README into doc/, by a browser, from what the programs make
	.tools/venv/bin/python .ci/pictures.py $(CHROMIUM)

size: build
	@for function in handler:dist connect:dist/connect receive:dist/receive poll:dist/poll; do \
		zip=$$(python3 -c "import sys, zlib; print(len(zlib.compress(open(sys.argv[1], 'rb').read())))" "$${function#*:}/bootstrap"); \
		echo "$${function%:*}: $$(wc -c < "$${function#*:}/bootstrap") bytes, zipped $$zip of at most $(MAX_ZIP_BYTES)"; \
		test "$$zip" -le $(MAX_ZIP_BYTES) || exit; \
		echo "Looking for reflection that would switch dead-code elimination off."; \
		! CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -trimpath -tags lambda.norpc -ldflags=-dumpdep -o /dev/null ./cmd/$${function%:*} 2>&1 | grep '<ReflectMethod>' || exit; \
	done

# One machine for each system: the sources differ by system only, and the tests compile the tool for Linux.
PLATFORMS := darwin/arm64 windows/amd64

platforms: ## compile the operator's tool for the other systems of a release
	@for platform in $(PLATFORMS); do echo "Compiling the tool for $$platform."; \
		CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/} go build -o /dev/null ./cmd/clientvpn || exit; done

arm64: build ## start what is built for AWS, under qemu
	@$(if $(filter aarch64 arm64,$(shell uname -m)),,$(call need,qemu-aarch64-static,that the arm64 binary starts);) \
	python3 .ci/arm64.py dist/bootstrap dist/connect/bootstrap dist/receive/bootstrap dist/poll/bootstrap

# The SAM CLI has requirements of its own, so it has a virtual environment of its own.
sam: .tools/venv/done ## the SAM CLI's own look at the template, its build, and the first deployment
	@test .tools/sam/done -nt .ci/requirements-sam.txt || { echo "Installing the SAM CLI." && python3 -m venv .tools/sam && \
	.tools/sam/bin/pip install --quiet --disable-pip-version-check -r .ci/requirements-sam.txt && touch .tools/sam/done; } || \
	{ echo "NOT CHECKED: sam validate and sam build. The SAM CLI cannot be installed." >&2; test "$$CI" != true; exit; }; \
	export SAM_CLI_TELEMETRY=0; \
	.tools/sam/bin/sam validate --lint --region eu-west-1 && .tools/sam/bin/sam build --region eu-west-1 && \
	for function in Responder Connect; do test -x .aws-sam/build/$$function/bootstrap -a -f .aws-sam/build/$$function/policy.yaml || exit; done && \
	test -x .aws-sam/build/Receive/bootstrap -a -x .aws-sam/build/Poll/bootstrap && \
	.tools/venv/bin/python test/deploy/deploy.py .tools/sam/bin/sam

rehearse: .tools/venv/done .tools/transformed.json ## the whole stack on this machine: template, EventBridge, queue, binary, topics
	@mkdir -p .tools/rehearsal
	@go build -tags lambda.norpc -o .tools/rehearsal/bootstrap ./cmd/handler
	@go build -tags lambda.norpc -o .tools/rehearsal/connect ./cmd/connect
	@go build -o .tools/rehearsal/clientvpn ./cmd/clientvpn
	@.tools/venv/bin/python .ci/rehearse.py .tools/rehearsal/bootstrap .tools/rehearsal/connect .tools/rehearsal/clientvpn .tools/transformed.json
	@$(call need,java,the doors against Keycloak as a transmitter); \
	test -s .tools/keycloak.zip || { echo "Fetching Keycloak $(KEYCLOAK_VERSION)." && \
	curl --fail --silent --show-error --location --output .tools/keycloak.new $(KEYCLOAK) && mv .tools/keycloak.new .tools/keycloak.zip; } || \
	{ echo "NOT CHECKED: the doors against Keycloak, which cannot be fetched." >&2; test "$$CI" != true; exit; }; \
	go build -tags lambda.norpc -o .tools/rehearsal/receive ./cmd/receive && \
	.tools/venv/bin/python .ci/keycloak.py .tools/rehearsal/receive .tools/rehearsal/clientvpn .tools/keycloak.zip

bench: ## measure speed, memory and load against goals, into doc/benchmarks.md: six minutes
	@$(CLIENTVPN) bench || $(INTERRUPTED)

POLICY ?= policy.yaml
# $(call pack,folder): copies the policy, and the file of aliases that it names. Without the file it fails.
pack = cp "$(POLICY)" "$(1)/policy.yaml" && aliases=$$(sed -nE "s/^([^\#]*[ {,])?aliases_file: *[\"']?([^]\"' ,}\#]+).*/\2/p" "$(POLICY)") && \
	for file in $$aliases; do test -f "$(dir $(POLICY))$$file" || { echo "policy.yaml names the aliases_file $$file, which is not beside it." >&2; exit 1; }; \
	cp "$(dir $(POLICY))$$file" "$(1)/" || exit; done

build: ## the functions for AWS, in dist/ and folders below
	@mkdir -p dist/connect dist/receive dist/poll
	$(BUILD) -o dist/bootstrap ./cmd/handler
	$(BUILD) -o dist/connect/bootstrap ./cmd/connect
	$(BUILD) -o dist/receive/bootstrap ./cmd/receive
	$(BUILD) -o dist/poll/bootstrap ./cmd/poll
	@$(call pack,dist) && $(call pack,dist/connect)

# sam build calls these. A policy that cannot be read, or that decides its cases otherwise, is not built.
CHECK = go run ./cmd/clientvpn check
good-policy:
	@said=$$($(CHECK) --policy "$(POLICY)" cases/ 2>&1) || { echo "$$said" >&2; exit 1; }

# `sam deploy --guided` writes its answers beside the template that is deployed, where the next build would delete them. So
# they go to samconfig.toml through a link.
build-Responder: good-policy
	@case "$(ARTIFACTS_DIR)" in */.aws-sam/build/*) ln -sfn ../../samconfig.toml "$(ARTIFACTS_DIR)/../samconfig.toml";; esac
	$(BUILD) -o "$(ARTIFACTS_DIR)/bootstrap" ./cmd/handler
	@$(call pack,$(ARTIFACTS_DIR))

build-Connect: good-policy
	$(BUILD) -o "$(ARTIFACTS_DIR)/bootstrap" ./cmd/connect
	@$(call pack,$(ARTIFACTS_DIR))

build-Receive:
	$(BUILD) -o "$(ARTIFACTS_DIR)/bootstrap" ./cmd/receive

build-Poll:
	$(BUILD) -o "$(ARTIFACTS_DIR)/bootstrap" ./cmd/poll

release: .tools/venv/done ## what a release consists of, in dist/release: VERSION=v1.2.3
	.tools/venv/bin/python .ci/release.py "$(VERSION)" dist/release --tool --twice

reproducible: .tools/venv/done
	.tools/venv/bin/python .ci/release.py v0.0.0 .tools/release --twice > /dev/null

clean: ## remove what was built and fetched
	rm -rf bin dist .tools .aws-sam

.tools/golangci-lint:
	@echo "Building golangci-lint $(GOLANGCI_LINT_VERSION), which takes some minutes the first time."
	GOBIN="$(CURDIR)/.tools" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

.tools/actionlint:
	GOBIN="$(CURDIR)/.tools" go install github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)

.tools/transformed.json: template.yaml .ci/transform.py .tools/venv/done
	.tools/venv/bin/python .ci/transform.py template.yaml > $@.new
	@mv $@.new $@

.tools/venv/done: .ci/requirements.txt
	python3 -m venv .tools/venv
	.tools/venv/bin/pip install --quiet --disable-pip-version-check -r .ci/requirements.txt
	@touch $@
