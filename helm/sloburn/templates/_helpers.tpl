{{/* Names end in at most 52 characters, since the names of a StatefulSet's revisions add eleven. */}}
{{- define "sloburn.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "sloburn.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Of everything that belongs to this release; they never change, since selectors may not. */}}
{{- define "sloburn.instanceLabels" -}}
app.kubernetes.io/name: {{ include "sloburn.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of the daemon's pod, and not of the pod that tests it. */}}
{{- define "sloburn.selectorLabels" -}}
{{ include "sloburn.instanceLabels" . }}
app.kubernetes.io/component: daemon
{{- end -}}

{{- define "sloburn.labels" -}}
{{- with .Values.commonLabels }}
{{- toYaml . }}
{{ end -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "sloburn.instanceLabels" . }}
{{- end -}}

{{- define "sloburn.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "sloburn.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "sloburn.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* All sources by name, as JSON. */}}
{{- define "sloburn.sources" -}}
{{- merge (dict "default" .Values.prometheus) .Values.moreSources | toJson -}}
{{- end -}}

{{/* The folders that hold files of one kind, as JSON: (list root kind existing). */}}
{{- define "sloburn.folders" -}}
{{- $kind := index . 0 -}}
{{- $folders := list (printf "/etc/sloburn/%s/values" $kind) -}}
{{- range index . 1 -}}
{{- $folders = append $folders (printf "/etc/sloburn/%s/%s" $kind .) -}}
{{- end -}}
{{- $folders | toJson -}}
{{- end -}}

{{/* The secrets of one source as a list of JSON, each with the setting that names its file: (list name values). */}}
{{- define "sloburn.sourceSecrets" -}}
{{- $name := index . 0 -}}
{{- $values := index . 1 -}}
{{- $tls := $values.tls | default dict -}}
{{- $known := list
  (list $values.bearerToken "" "bearerTokenFile" "bearer-token" "token")
  (list $values.basicAuth "" "basicAuthFile" "basic-auth" "auth")
  (list $tls.ca "tls" "caFile" "tls-ca" "ca.crt")
  (list $tls.cert "tls" "certFile" "tls-cert" "tls.crt")
  (list $tls.key "tls" "keyFile" "tls-key" "tls.key")
-}}
{{- $secrets := list -}}
{{- range $known -}}
{{- $from := index . 0 -}}
{{- if and $from $from.secretName -}}
{{- $file := printf "sources/%s/%s" $name (index . 3) -}}
{{- $secrets = append $secrets (dict "section" (index . 1) "setting" (index . 2) "file" $file "secret" $from.secretName "key" ($from.key | default (index . 4))) -}}
{{- end -}}
{{- end -}}
{{- $secrets | toJson -}}
{{- end -}}

{{/* What lies in /etc/sloburn/secrets, as a list of JSON: file, secret, key. */}}
{{- define "sloburn.secretFiles" -}}
{{- $files := list -}}
{{- range $name, $source := include "sloburn.sources" . | fromJson -}}
{{- $files = concat $files (include "sloburn.sourceSecrets" (list $name $source) | fromJsonArray) -}}
{{- end -}}
{{- if .Values.slack.channel -}}
{{- $files = append $files (dict "file" "slack/token" "secret" .Values.slack.token.secretName "key" .Values.slack.token.key) -}}
{{- end -}}
{{- range $name, $from := .Values.secrets -}}
{{- $files = append $files (dict "file" $name "secret" $from.secretName "key" $from.key) -}}
{{- end -}}
{{- $files | toJson -}}
{{- end -}}

{{/* Files from values as YAML: text as it is, anything else as a document. */}}
{{- define "sloburn.files" -}}
{{- $files := dict -}}
{{- range $name, $content := . -}}
{{- $_ := set $files $name (kindIs "string" $content | ternary $content (toYaml $content)) -}}
{{- end -}}
{{- toYaml $files -}}
{{- end -}}

{{/* What is told to whom: the default policy, a receiver for Slack, and what the values say. */}}
{{- define "sloburn.alerts" -}}
{{- $files := dict "default.yaml" (.Files.Get "files/default-policy.yaml") -}}
{{- with .Values.slack -}}
{{- if .channel -}}
{{- $slack := dict "channel" .channel "tokenFile" "/etc/sloburn/secrets/slack/token" -}}
{{- if .mention -}}
{{- $_ := set $slack "mention" .mention -}}
{{- end -}}
{{- $spec := dict "slack" $slack "timeZone" .timeZone -}}
{{- $_ := set $files "slack.yaml" (dict "apiVersion" "sloburn.dev/v1" "kind" "Receiver" "metadata" (dict "name" "slack") "spec" $spec) -}}
{{- end -}}
{{- end -}}
{{- include "sloburn.files" (merge (dict) .Values.alerts $files) -}}
{{- end -}}

{{/* Settings of one source, as sloburn.yaml has them: (list name values). */}}
{{- define "sloburn.source" -}}
{{- $values := index . 1 -}}
{{- $settings := dict "url" $values.url -}}
{{- range list "timeout" "matchers" "offset" "settle" "scrapeInterval" "linkUrl" "headers" "params" "backfill" "partial" "replicaLabels" -}}
{{- $value := index $values . -}}
{{- if $value -}}
{{- $_ := set $settings . $value -}}
{{- end -}}
{{- end -}}
{{- range list "maxInFlight" "maxBodyBytes" "seriesPerQuery" "pushDownAbove" -}}
{{- $value := index $values . -}}
{{- if $value -}}
{{- $_ := set $settings . (int64 $value) -}}
{{- end -}}
{{- end -}}
{{- range include "sloburn.sourceSecrets" . | fromJsonArray -}}
{{- $section := $settings -}}
{{- if .section -}}
{{- $section = index $settings .section | default dict -}}
{{- $_ := set $settings .section $section -}}
{{- end -}}
{{- $_ := set $section .setting (printf "/etc/sloburn/secrets/%s" .file) -}}
{{- end -}}
{{- dict "prometheus" $settings | toJson -}}
{{- end -}}

{{/* The daemon's own settings: sloburn.yaml. */}}
{{- define "sloburn.config" -}}
{{- $sources := dict -}}
{{- range $name, $values := include "sloburn.sources" . | fromJson -}}
{{- $_ := set $sources $name (include "sloburn.source" (list $name $values) | fromJson) -}}
{{- end -}}
definitions: {{ include "sloburn.folders" (list "definitions" .Values.existingDefinitions) }}
alerts: {{ include "sloburn.folders" (list "alerts" .Values.existingAlerts) }}
tick: {{ .Values.tick }}
{{- with .Values.slot }}
slot: {{ . }}
{{- end }}
sources:
  {{- toYaml $sources | nindent 2 }}
store: {sqlite: /var/lib/sloburn/sloburn.db{{ with .Values.store.history }}, history: {{ . }}{{ end }}}
listen: {{ printf "%s:%d" .Values.listenAddress (int .Values.service.port) | quote }}
{{- with .Values.externalUrl }}
externalUrl: {{ . }}
{{- end }}
{{- $log := dict "level" .Values.log.level "format" .Values.log.format }}
{{- with .Values.log.filter }}
{{- $_ := set $log "filter" . }}
{{- end }}
log: {{ $log | toJson }}
{{- end -}}

{{/* What cannot be installed, said before anything is. */}}
{{- define "sloburn.refuse" -}}
{{- if not .Values.prometheus.url -}}
{{- fail "prometheus.url is not set: say where Prometheus is, as --set prometheus.url=http://prometheus-server.monitoring" -}}
{{- end -}}
{{- if ne (int .Values.replicas) 1 -}}
{{- fail (printf "replicas is %d: there can be one daemon only, since its store is a SQLite file with one writer; remove the value, and let Kubernetes start the pod again when its node fails" (int .Values.replicas)) -}}
{{- end -}}
{{- if and .Values.slack.channel (not .Values.slack.token.secretName) -}}
{{- fail "slack.channel is set, but slack.token.secretName is not: put the bot's token into a secret with `kubectl create secret generic slack --from-file=token=FILE`, and add --set slack.token.secretName=slack" -}}
{{- end -}}
{{- if hasKey .Values.moreSources "default" -}}
{{- fail "moreSources.default: the source `default` is described by `prometheus`; give this one another name" -}}
{{- end -}}
{{- range $name, $source := .Values.moreSources -}}
{{- if not $source.url -}}
{{- fail (printf "moreSources.%s.url is not set: say where that Prometheus is" $name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $source := include "sloburn.sources" . | fromJson -}}
{{- $key := eq $name "default" | ternary "prometheus.url" (printf "moreSources.%s.url" $name) -}}
{{- if not (contains "://" $source.url) -}}
{{- fail (printf "%s is %s, without http:// or https://: write http://%s" $key $source.url $source.url) -}}
{{- end -}}
{{- if not (regexMatch "^https?://[^/?#@]+(/[^?#]*)?$" $source.url) -}}
{{- fail (printf "%s is no address of a Prometheus: write it as http://prometheus-server.monitoring, without a user, and without what begins with ? or #" $key) -}}
{{- end -}}
{{- if and (dig "bearerToken" "secretName" "" $source) (dig "basicAuth" "secretName" "" $source) -}}
{{- fail (printf "the source %s has both bearerToken and basicAuth: remove one" $name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ca.configMapName .Values.ca.secretName -}}
{{- fail "ca.configMapName and ca.secretName are both set: remove one" -}}
{{- end -}}
{{- end -}}
