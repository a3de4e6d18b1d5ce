{{- define "headcount.name" -}}
{{- if contains "headcount" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-headcount" (.Release.Name | trunc 30 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "headcount.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "headcount.selector" . }}
{{- end -}}

{{- define "headcount.selector" -}}
app.kubernetes.io/name: headcount
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "headcount.image" -}}
{{- $repository := required "image.repository is missing: where the image of deploy/Dockerfile was pushed to" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "headcount.databaseSecret" -}}
{{- if .Values.database.existingSecret -}}
{{- .Values.database.existingSecret -}}
{{- else -}}
{{- printf "%s-database" (include "headcount.name" .) -}}
{{- end -}}
{{- end -}}

{{- define "headcount.database" -}}
- name: HEADCOUNT_DATABASE
  valueFrom:
    secretKeyRef:
      name: {{ include "headcount.databaseSecret" . }}
      key: {{ ternary .Values.database.key "url" (not (empty .Values.database.existingSecret)) }}
{{- end -}}

{{/* What the migrations and the servers have in common. */}}
{{- define "headcount.environment" -}}
- name: HEADCOUNT_LOG
  value: {{ .Values.log.level | quote }}
- name: HEADCOUNT_LOG_FORMAT
  value: {{ .Values.log.format | quote }}
{{- end -}}

{{- define "headcount.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "headcount.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What cannot work is refused before anything is made. */}}
{{- define "headcount.check" -}}
{{- if not (or .Values.database.existingSecret .Values.database.url) -}}
{{- fail "a database is missing: database.existingSecret names a Secret with its URL" -}}
{{- end -}}
{{- if not (or .Values.tls.existingSecret .Values.trustedProxies) -}}
{{- fail "no TLS: give tls.existingSecret, or the addresses of the proxies that end TLS as trustedProxies" -}}
{{- end -}}
{{- if and .Values.tls.clientCaKey (not .Values.tls.existingSecret) -}}
{{- fail "tls.clientCaKey is a key of tls.existingSecret, which is missing" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host is missing" -}}
{{- end -}}
{{- end -}}
