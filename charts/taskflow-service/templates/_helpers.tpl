{{- /* Selectors never change: a Deployment's selector is immutable. */}}
{{- define "taskflow-service.selectorLabels" -}}
app.kubernetes.io/name: {{ .Release.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- /* Labels of an object: list of root, name, component. A hook has a name of its own, so that nothing selects it as the service. */}}
{{- define "taskflow-service.labels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ index . 1 | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
{{- with $root.Values.version }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
app.kubernetes.io/component: {{ index . 2 | quote }}
app.kubernetes.io/part-of: taskflow
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end }}

{{- /* Image reference: list of the image's values and their path. */}}
{{- define "taskflow-service.image" -}}
{{- $image := index . 0 }}
{{- $path := index . 1 }}
{{- $repository := required (printf "%s.repository: name the image" $path) $image.repository }}
{{- if $image.digest }}
{{- printf "%s@%s" $repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (required (printf "%s: give a digest, or a tag where none exists" $path) $image.tag) }}
{{- end }}
{{- end }}

{{- /* Environment of a container. Pod fields come first, so that `$(NAME)` in a later value can refer to them. */}}
{{- define "taskflow-service.env" -}}
{{- range $name, $field := .podEnv }}
- name: {{ $name }}
  valueFrom: { fieldRef: { fieldPath: {{ $field }} } }
{{- end }}
{{- range $name, $ref := .secretEnv }}
- name: {{ $name }}
  valueFrom: { secretKeyRef: { name: {{ $ref.secret | quote }}, key: {{ $ref.key | quote }}{{ if $ref.optional }}, optional: true{{ end }} } }
{{- end }}
{{- range $name, $value := .env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- /* What every pod of this chart has in common. */}}
{{- define "taskflow-service.pod" -}}
automountServiceAccountToken: false
{{- /* a neighbour's Service must not become a variable of this one */}}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int64 .Values.security.runAsUser }}
  runAsGroup: {{ int64 .Values.security.runAsGroup }}
  {{- if .Values.secretFiles }}
  {{- /* files of Secrets belong to root; the group may read them */}}
  fsGroup: {{ int64 .Values.security.runAsGroup }}
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .Values.scheduling.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.scheduling.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.scheduling.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "taskflow-service.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: { drop: [ALL] }
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
{{- end }}

{{- define "taskflow-service.probe" -}}
httpGet: { path: {{ .path | quote }}, port: http }
periodSeconds: {{ int .periodSeconds }}
timeoutSeconds: {{ int .timeoutSeconds }}
failureThreshold: {{ int .failureThreshold }}
{{- end }}
