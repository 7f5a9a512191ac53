#!/bin/sh
# The raw limit and the whole server on this machine, alternately, and the table of ratios. See --help and docs/performance.md.
set -eu
cd "$(dirname "$0")/.."
dotnet build -c Release -v quiet bench/Compare
exec dotnet bench/Compare/bin/Release/net10.0/Detection.Bench.Compare.dll "$@"
