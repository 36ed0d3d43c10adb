{{- /* Annotations for the sidecar injector. Every value is a string, and every length of time carries its unit in the value's name. */}}
{{- define "taskflow-service.daprAnnotations" -}}
{{- $dapr := .Values.dapr -}}
dapr.io/enabled: "true"
dapr.io/app-id: {{ $dapr.appId | quote }}
dapr.io/app-port: {{ get .Values.ports $dapr.appPort | int | quote }}
dapr.io/app-protocol: http
dapr.io/config: {{ $dapr.config | quote }}
dapr.io/log-level: {{ $dapr.logLevel | quote }}
dapr.io/log-as-json: {{ $dapr.logAsJson | quote }}
dapr.io/enable-metrics: "true"
dapr.io/metrics-port: {{ int $dapr.metricsPort | quote }}
dapr.io/enable-app-health-check: {{ $dapr.appHealthCheck.enabled | quote }}
{{- if $dapr.appHealthCheck.enabled }}
dapr.io/app-health-check-path: {{ $dapr.appHealthCheck.path | quote }}
dapr.io/app-health-probe-interval: {{ int $dapr.appHealthCheck.intervalSeconds | quote }}
dapr.io/app-health-probe-timeout: {{ int $dapr.appHealthCheck.timeoutMilliseconds | quote }}
dapr.io/app-health-threshold: {{ int $dapr.appHealthCheck.threshold | quote }}
{{- end }}
{{- with int $dapr.shutdown.blockSeconds }}
dapr.io/block-shutdown-duration: {{ printf "%ds" . | quote }}
{{- end }}
dapr.io/graceful-shutdown-seconds: {{ int $dapr.shutdown.gracefulSeconds | quote }}
{{- if $dapr.nativeSidecar }}
dapr.io/enable-native-sidecar: "true"
{{- end }}
{{- with $dapr.disableInitEndpoints }}
dapr.io/disable-init-endpoints: {{ join "," . | quote }}
{{- end }}
{{- with $dapr.apiTokenSecret }}
dapr.io/api-token-secret: {{ . | quote }}
{{- end }}
{{- with $dapr.appTokenSecret }}
dapr.io/app-token-secret: {{ . | quote }}
{{- end }}
{{- with $dapr.maxBodySize }}
dapr.io/max-body-size: {{ . | quote }}
{{- end }}
dapr.io/sidecar-cpu-request: {{ $dapr.resources.requests.cpu | quote }}
dapr.io/sidecar-memory-request: {{ $dapr.resources.requests.memory | quote }}
{{- with $dapr.resources.limits.cpu }}
dapr.io/sidecar-cpu-limit: {{ . | quote }}
{{- end }}
dapr.io/sidecar-memory-limit: {{ $dapr.resources.limits.memory | quote }}
dapr.io/sidecar-seccomp-profile-type: RuntimeDefault
{{- /* the pod has no token to read Secrets with; components get theirs through the operator */}}
dapr.io/disable-builtin-k8s-secret-store: "true"
{{- end }}
