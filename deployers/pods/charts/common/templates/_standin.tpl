{{- /* An image's name. Called with imageRoot (registry, repository, tag, digest) and global (imageRegistry). */ -}}
{{- define "common.images.image" -}}
{{- $root := .imageRoot -}}
{{- $registry := $root.registry -}}
{{- with .global -}}{{- with .imageRegistry -}}{{- $registry = . -}}{{- end -}}{{- end -}}
{{- with $registry -}}{{ . }}/{{- end -}}
{{- $root.repository -}}
{{- if $root.digest -}}@{{ $root.digest }}{{- else -}}:{{ $root.tag | toString }}{{- end -}}
{{- end -}}

{{- /* The field imagePullSecrets of a pod, each name once. Called with images and global; a secret is a name or a map with one. */ -}}
{{- define "common.images.pullSecrets" -}}
{{- $given := list -}}
{{- with .global -}}{{- $given = concat $given (.imagePullSecrets | default list) -}}{{- end -}}
{{- range .images -}}{{- $given = concat $given (.pullSecrets | default list) -}}{{- end -}}
{{- $names := list -}}
{{- range $given -}}
{{- if kindIs "map" . -}}{{- $names = append $names .name -}}{{- else -}}{{- $names = append $names . -}}{{- end -}}
{{- end -}}
{{- if $names -}}
imagePullSecrets:
{{- range uniq $names }}
  - name: {{ . }}
{{- end }}
{{- end -}}
{{- end -}}

{{- /* A value that may hold a template, rendered. Called with value (text or YAML) and context. */ -}}
{{- define "common.tplvalues.render" -}}
{{- if kindIs "string" .value -}}
{{- tpl .value .context -}}
{{- else -}}
{{- tpl (toYaml .value) .context -}}
{{- end -}}
{{- end -}}

{{- /* The name of what a release is: fullnameOverride, or the release's with the chart's unless that is in it already. */ -}}
{{- define "common.names.fullname" -}}
{{- $chart := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $chart .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $chart | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* The labels that select a release's pods. Called with a chart's context, or with context and customLabels. */ -}}
{{- define "common.labels.matchLabels" -}}
{{- $context := .context | default . -}}
{{- $own := dict "app.kubernetes.io/name" (default $context.Chart.Name $context.Values.nameOverride) "app.kubernetes.io/instance" $context.Release.Name -}}
{{- toYaml (merge (pick (.customLabels | default dict) "app.kubernetes.io/name" "app.kubernetes.io/instance") $own) -}}
{{- end -}}

{{- /* The labels of every object of a release. Called as matchLabels is. */ -}}
{{- define "common.labels.standard" -}}
{{- $context := .context | default . -}}
{{- $own := dict "app.kubernetes.io/name" (default $context.Chart.Name $context.Values.nameOverride) -}}
{{- $_ := set $own "app.kubernetes.io/instance" $context.Release.Name -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" $context.Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" $context.Chart.Name $context.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- with $context.Chart.AppVersion -}}{{- $_ := set $own "app.kubernetes.io/version" (. | replace "+" "_") -}}{{- end -}}
{{- toYaml (merge (.customLabels | default dict) $own) -}}
{{- end -}}
