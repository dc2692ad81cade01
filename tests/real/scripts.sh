#!/usr/bin/env bash
# Forty sentences of twenty scripts and more are drawn without a box in the fonts of this desktop.
set -euo pipefail
exec cargo test --locked --test scripts -- --ignored --nocapture
