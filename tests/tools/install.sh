#!/usr/bin/env bash
# Gets the real servers and checkers that the tests use, into a cache outside the checkout.
#
#   tests/tools/install.sh             everything
#   tests/tools/install.sh prometheus  only the named ones: prometheus, prometheus2, victoria-metrics, alertmanager, cargo-deny, helm3, helm4, etcd, kube-apiserver, chromium
#
# Chromium and its driver are the system's own, since no cache can hold them: apt-get installs them where they are missing.
# A tool that is there already costs nothing. Versions stand in each tool's go.mod, or in its file `version`,
# and nowhere else: this script, the Makefile and tests/it/support/tools.rs read them there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${SLOBURN_TOOLS:-${XDG_CACHE_HOME:-${HOME:?set HOME, XDG_CACHE_HOME or SLOBURN_TOOLS, to say where tools are kept}/.cache}/sloburn-tools}

fail() {
  printf 'tests/tools/install.sh: %s\n' "$*" >&2
  exit 1
}

need() { # need COMMAND WHY
  command -v "$1" >/dev/null || fail "\`$1\` is not installed, and $2 is built with it; install it and run this again."
}

cargo_deny_version=$(cat "$here/cargo-deny/version")

pinned() { # pinned TOOL MODULE: the version in that tool's go.mod, without its v
  awk -v module="$2" '$1 == module { sub(/^v/, "", $2); print $2 }' "$here/$1/go.mod"
}

build_go() { # build_go DIR TOOL TAGS PACKAGE...; what else the linker is to set stands in `stamp`
  local dir=$1 tool=$2 tags=$3
  shift 3
  need go "$tool"
  # Without cgo no C compiler is needed; without symbols linking is quicker and the binaries are a third smaller.
  (cd "$here/$tool" && CGO_ENABLED=0 go build -mod=readonly -buildvcs=false -trimpath -tags "$tags" -ldflags="-s -w ${stamp:-}" -o "$dir/" "$@")
}

build_prometheus() {
  # Without the service discoveries: one of their dependencies cannot be had, and tests use static targets.
  build_go "$1" prometheus remove_all_sd \
    github.com/prometheus/prometheus/cmd/prometheus github.com/prometheus/prometheus/cmd/promtool
}

# The newest of the versions 2 that can be had: as Debian 12 ships it, since it does not build as a module.
build_prometheus2() {
  need apt-get prometheus2
  need dpkg prometheus2
  local deb
  (cd "$1" && apt-get download --quiet prometheus)
  deb=$(echo "$1"/prometheus_"$(cat "$here/prometheus2/version")"*.deb)
  [[ -f $deb ]] || fail "apt offers another prometheus than $(cat "$here/prometheus2/version"): $(ls "$1")."
  dpkg --extract "$deb" "$1/root"
  mv "$1/root/usr/bin/prometheus" "$1/prometheus"
  rm -r "$1/root" "$deb"
}

build_victoria_metrics() {
  build_go "$1" victoria-metrics '' github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics
}

build_alertmanager() {
  build_go "$1" alertmanager '' github.com/prometheus/alertmanager/cmd/alertmanager
}

build_helm3() {
  # Built as a module it would take every cluster that it does not ask for one of Kubernetes 1.20; Helm 4 finds this out itself.
  local minor
  minor=$(pinned helm3 k8s.io/client-go | cut -d. -f2)
  local stamp="" package
  for package in pkg/chartutil pkg/lint/rules; do
    stamp+=" -X helm.sh/helm/v3/$package.k8sVersionMajor=1 -X helm.sh/helm/v3/$package.k8sVersionMinor=$minor"
  done
  build_go "$1" helm3 '' helm.sh/helm/v3/cmd/helm
}

build_helm4() {
  build_go "$1" helm4 '' helm.sh/helm/v4/cmd/helm
}

build_etcd() {
  build_go "$1" etcd '' go.etcd.io/etcd/server/v3
  # Its program has the name of the module's last part.
  mv "$1/server" "$1/etcd"
}

build_kube_apiserver() {
  # Built as a module it would say that it is v0.0.0, which charts refuse.
  local version
  version=$(pinned kube-apiserver k8s.io/kubernetes)
  local stamp="-X k8s.io/component-base/version.gitVersion=v$version"
  build_go "$1" kube-apiserver '' k8s.io/kubernetes/cmd/kube-apiserver
}

build_cargo_deny() {
  need cargo cargo-deny
  # From the root, so that no configuration of the checkout (target folder, flags) reaches this build.
  (cd / && env -u CARGO_TARGET_DIR -u RUSTFLAGS cargo install cargo-deny --version "$cargo_deny_version" --locked --quiet --root "$1")
}

install() { # install TOOL VERSION BUILDER
  local tool=$1 version=$2 builder=$3 started=$SECONDS
  [[ -n $version ]] || fail "no version of $tool is pinned under tests/tools/$tool."
  local dest=$cache/$tool-$version
  if [[ -d $dest ]]; then
    printf '%-14s %-8s %4d s  (in the cache)\n' "$tool" "$version" 0
    return
  fi
  # Built beside its place and renamed into it, so that an interrupted build never looks like a finished one.
  building=$cache/.$tool-$version.$$
  mkdir -p "$building" || fail "cannot write to the cache \`$cache\`; set SLOBURN_TOOLS to a folder that can be written."
  "$builder" "$building" || fail "$tool $version could not be built; what its build said stands above."
  # Another run may have been quicker: then its result is as good.
  [[ -d $dest ]] || mv "$building" "$dest" || fail "cannot move $tool into \`$dest\`."
  rm -rf "$building"
  printf '%-14s %-8s %4d s  (built)\n' "$tool" "$version" $((SECONDS - started))
}

install_chromium() {
  local started=$SECONDS
  if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then
    printf '%-14s %-8s %4d s  (on the system)\n' chromium '' 0
    return
  fi
  need apt-get chromium
  local as_root=()
  [[ $(id -u) == 0 ]] || as_root=(sudo)
  { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -qq -y --no-install-recommends chromium chromium-driver fonts-dejavu-core; } >/dev/null ||
    fail "Chromium could not be installed; install the packages chromium and chromium-driver, and run this again."
  printf '%-14s %-8s %4d s  (installed)\n' chromium '' $((SECONDS - started))
}

building=
trap '[[ -z $building ]] || rm -rf "$building"' EXIT

all=(prometheus prometheus2 victoria-metrics alertmanager cargo-deny helm3 helm4 etcd kube-apiserver chromium)
[[ $# -gt 0 ]] || set -- "${all[@]}"
for tool in "$@"; do
  case $tool in
    prometheus) install prometheus "$(pinned prometheus github.com/prometheus/prometheus)" build_prometheus ;;
    prometheus2) install prometheus2 "$(cat "$here/prometheus2/version")" build_prometheus2 ;;
    victoria-metrics) install victoria-metrics "$(pinned victoria-metrics github.com/VictoriaMetrics/VictoriaMetrics)" build_victoria_metrics ;;
    alertmanager) install alertmanager "$(pinned alertmanager github.com/prometheus/alertmanager)" build_alertmanager ;;
    cargo-deny) install cargo-deny "$cargo_deny_version" build_cargo_deny ;;
    helm3) install helm3 "$(pinned helm3 helm.sh/helm/v3)" build_helm3 ;;
    helm4) install helm4 "$(pinned helm4 helm.sh/helm/v4)" build_helm4 ;;
    etcd) install etcd "$(pinned etcd go.etcd.io/etcd/server/v3)" build_etcd ;;
    kube-apiserver) install kube-apiserver "$(pinned kube-apiserver k8s.io/kubernetes)" build_kube_apiserver ;;
    chromium) install_chromium ;;
    *) fail "there is no tool \`$tool\`; there are ${all[*]}." ;;
  esac
done
