# fwtui: build, try, test, install. 'make' alone lists the targets.

PREFIX ?= /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man/man8
BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR = $(PREFIX)/share/zsh/site-functions
FISHDIR = $(PREFIX)/share/fish/vendor_completions.d
UNITDIR = $(PREFIX)/lib/systemd/system

CARGO_TARGET_DIR ?= target
PROGRAM = $(CARGO_TARGET_DIR)/release/fwtui
SCRIPTS = .ci/run .ci/deps.sh tests/vm/run tests/vm/image.sh tests/vm/watch

# rustup's cargo, iptables and their kin, where the PATH does not have them.
export PATH := $(PATH):$(HOME)/.cargo/bin:/usr/sbin:/sbin

.PHONY: help build try test soak test-vm check bench man screenshots install uninstall

help: ## List the targets
	@echo 'make TARGET, with:'
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name text; do \
		printf '  %-12s %s\n' "$$name" "$$text"; done
	@echo 'PREFIX (now $(PREFIX)) and DESTDIR say where install puts things.'

build: ## Build the program, optimised, in target/release
	cargo build --release --locked

try: ## Open fwtui in a sandbox: no root needed, nothing on this machine is touched
	@sh .ci/deps.sh try
	cargo build --locked
	@$(CARGO_TARGET_DIR)/debug/fwtui sandbox

test: ## Run everything CI runs: check, then all tests
	@sh .ci/deps.sh test
	@$(MAKE) --no-print-directory check
	cargo test --locked --no-fail-fast

soak: ## Hold the model of the packet filter against the kernel, 100,000 packets of each kind
	@sh .ci/deps.sh test
	FWTUI_CASES=$${FWTUI_CASES:-100000} FWTUI_SECONDS=$${FWTUI_SECONDS:-7200} \
		cargo test --locked --test reach -- --nocapture --test-threads=2

test-vm: ## Break things in a virtual machine with systemd and sshd; needs root, QEMU and debootstrap
	@tests/vm/run

check: ## Format, lints, documentation, licences, shell scripts, man page
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps
	@if cargo deny --version >/dev/null 2>&1; then \
		set -ex; cargo deny --locked check licenses bans sources; \
		cargo deny --locked check advisories || echo 'Advisories: see above. They do not fail the check.'; \
		else echo 'cargo-deny is not installed: licences and advisories are not checked.'; fi
	@if command -v shellcheck >/dev/null; then set -x; shellcheck -x -P . $(SCRIPTS) && \
		shellcheck -s sh -e SC2034 assets/fwtui.openrc; \
		else echo 'shellcheck is not installed: the shell scripts are not checked.'; fi
	@if command -v mandoc >/dev/null; then set -x; mandoc -T lint -W warning man/fwtui.8; \
		else echo 'mandoc is not installed: the man page is not checked.'; fi

bench: ## Measure speed and memory, against ss and iptables-restore
	@sh .ci/deps.sh test
	cargo build --release --locked
	cargo bench --locked --bench fwtui

man: ## Write man/fwtui.8 anew
	cargo build --locked
	$(CARGO_TARGET_DIR)/debug/fwtui man > man/fwtui.8.new
	mv man/fwtui.8.new man/fwtui.8

screenshots: ## Take the pictures in assets/screenshots and the README anew, from the program itself
	UPDATE_SCREENSHOTS=1 cargo test --locked --test pty screenshots::

# With sudo, cargo would be root's, if there is one at all: then the program must be there already.
install: ## Install the program, man page, completions and systemd unit
	@if [ -n "$$SUDO_USER" ] || ! command -v cargo >/dev/null; then \
		[ -x $(PROGRAM) ] || { echo "$(PROGRAM) is not there: run 'make build' first, without sudo." >&2; exit 1; }; \
	else set -x; cargo build --release --locked; fi
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR) $(DESTDIR)$(UNITDIR)
	install -d $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	install -m 755 $(PROGRAM) $(DESTDIR)$(BINDIR)/fwtui
	install -m 644 man/fwtui.8 $(DESTDIR)$(MANDIR)/fwtui.8
	$(PROGRAM) completions bash > $(DESTDIR)$(BASHDIR)/fwtui
	$(PROGRAM) completions zsh > $(DESTDIR)$(ZSHDIR)/_fwtui
	$(PROGRAM) completions fish > $(DESTDIR)$(FISHDIR)/fwtui.fish
	sed 's|/usr/local/bin/fwtui|$(BINDIR)/fwtui|' assets/fwtui.service > $(DESTDIR)$(UNITDIR)/fwtui.service
	chmod 644 $(DESTDIR)$(BASHDIR)/fwtui $(DESTDIR)$(ZSHDIR)/_fwtui $(DESTDIR)$(FISHDIR)/fwtui.fish \
		$(DESTDIR)$(UNITDIR)/fwtui.service
	@echo "To load confirmed rules at boot: sudo fwtui install-service"

uninstall: ## Remove what install put there; rules, policy and state stay
	rm -f $(DESTDIR)$(BINDIR)/fwtui $(DESTDIR)$(MANDIR)/fwtui.8 $(DESTDIR)$(UNITDIR)/fwtui.service
	rm -f $(DESTDIR)$(BASHDIR)/fwtui $(DESTDIR)$(ZSHDIR)/_fwtui $(DESTDIR)$(FISHDIR)/fwtui.fish
	@echo "Rules in the kernel, /etc/fwtui, /var/lib/fwtui and what 'fwtui install-service' wrote are left as they are."
