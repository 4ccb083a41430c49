{{- define "feedbackloop.name" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if hasSuffix "operator" .Release.Name -}}
{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-operator" (.Release.Name | trunc 54 | trimSuffix "-") }}
{{- end -}}
{{- end }}

{{- define "feedbackloop.selector" -}}
app.kubernetes.io/name: feedbackloop-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "feedbackloop.labels" -}}
{{ include "feedbackloop.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "feedbackloop.namespace" -}}
{{ .Values.watchNamespace | default .Release.Namespace }}
{{- end }}

{{- define "feedbackloop.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* The admin's file: the values, with the operator's own image and namespace where they say nothing. */ -}}
{{- define "feedbackloop.config" -}}
{{- $image := dict "image" (include "feedbackloop.image" .) "imagePullPolicy" .Values.image.pullPolicy -}}
{{- $config := deepCopy .Values.config -}}
{{- $_ := set $config "jobs" (merge $config.jobs $image) -}}
{{- $_ := set $config "gateway" (merge $config.gateway $image) -}}
{{- $_ := set $config "operatorNamespace" .Release.Namespace -}}
{{ toYaml $config }}
{{- end }}

{{- /* CEL: no such field. A field below an absent one is asked for step by step. */ -}}
{{- define "feedbackloop.absent" -}}
{{- $path := "object.spec" -}}
{{- $steps := list -}}
{{- range splitList "." . -}}
{{- $path = printf "%s.%s" $path . -}}
{{- $steps = append $steps (printf "!has(%s)" $path) -}}
{{- end -}}
({{ join " || " $steps }})
{{- end }}
