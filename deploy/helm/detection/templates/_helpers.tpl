{{- /* Helpers take a dict of: root (the top context), component (silo, silo-gpu, frontend, redis), own (its values). */ -}}

{{- define "detection.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "detection.selector" -}}
app.kubernetes.io/name: {{ eq .component "redis" | ternary "redis" "detection" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "detection.metadata" -}}
name: {{ include "detection.fullname" .root }}-{{ .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "detection.selector" . | nindent 2 }}
{{- end }}

{{- define "detection.image" -}}
{{ .root.Values.image.registry }}{{ .own.image }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}{{ .own.tagSuffix }}
{{- end }}

{{- define "detection.redisSecret" -}}
{{ .Values.redis.secret | default (printf "%s-redis" (include "detection.fullname" .)) }}
{{- end }}

{{- define "detection.podMetadata" -}}
labels:
  {{- include "detection.selector" . | nindent 2 }}
  {{- with .own.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := dict }}
{{- if and .root.Values.metrics.annotations (not .root.Values.metrics.serviceMonitor.enabled) }}
{{- $annotations = dict "prometheus.io/scrape" "true" "prometheus.io/path" "/metrics" "prometheus.io/port" "9090" }}
{{- end }}
{{- with .root.Values.settings }}
{{- /* Other settings are other pods. */}}
{{- $_ := set $annotations "checksum/settings" (toJson . | sha256sum) }}
{{- end }}
{{- with mergeOverwrite $annotations .own.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "detection.podSecurity" -}}
automountServiceAccountToken: false
# Kubernetes would add a variable for each service of the namespace.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .own.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1654
  runAsGroup: 1654
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "detection.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- define "detection.scheduling" -}}
{{- with .root.Values.topologySpread }}
# Over nodes and zones. Pods of an earlier revision do not count; otherwise the pods of an update would not be spread.
topologySpreadConstraints:
  {{- range . }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "detection.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- include "detection.placement" . }}
{{- end }}

{{- define "detection.placement" -}}
{{- with .own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "detection.clusterEnv" -}}
- name: ConnectionStrings__redis
  valueFrom:
    secretKeyRef:
      name: {{ include "detection.redisSecret" .root }}
      key: connection-string
# If this secret exists, connections between the pods need it.
- name: Detection__ClusterSecurity__Secret
  valueFrom:
    secretKeyRef:
      name: {{ .root.Values.clusterSecret | default (printf "%s-cluster" (include "detection.fullname" .root)) }}
      key: secret
      optional: true
{{- end }}

{{- define "detection.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .root.Values.settings }}
- name: settings
  mountPath: /app/appsettings.Production.json
  subPath: appsettings.json
  readOnly: true
{{- end }}
{{- with .own.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "detection.volumes" -}}
- name: tmp
  emptyDir: {}
{{- if .root.Values.settings }}
- name: settings
  secret:
    secretName: {{ include "detection.fullname" .root }}-settings
{{- end }}
{{- with .own.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "detection.disruption" -}}
{{- with .root.Values.podDisruptionBudget }}
{{- if .enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "detection.metadata" $ | nindent 2 }}
spec:
  maxUnavailable: {{ .maxUnavailable }}
  # A pod that does not become ready does not prevent the drain of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "detection.selector" $ | nindent 6 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "detection.silo" -}}
{{- $models := .root.Values.models -}}
{{- if and $models.volume $models.download }}
{{- fail "models.download fills the volume of each pod; with models.volume put the models into that volume instead." }}
{{- end -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "detection.metadata" . | nindent 2 }}
spec:
  {{- if not .scaled }}
  replicas: {{ .own.replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "detection.selector" . | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: {{ .maxUnavailable }}
      maxSurge: {{ .maxSurge }}
  template:
    metadata:
      {{- include "detection.podMetadata" . | nindent 6 }}
    spec:
      {{- include "detection.podSecurity" . | nindent 6 }}
      {{- with include "detection.scheduling" . | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- if or (not $models.volume) $models.init }}
      initContainers:
        {{- if not $models.volume }}
        # Copies the models of the image. The next steps add others.
        - name: image-models
          image: {{ include "detection.image" . }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          command: [cp, -R, /app/models/., /models/]
          resources:
            {{- toYaml .own.resources | nindent 12 }}
          {{- include "detection.containerSecurity" . | nindent 10 }}
          volumeMounts:
            - name: models
              mountPath: /models
        {{- end }}
        {{- if $models.download }}
        - name: download-models
          image: {{ $models.downloadImage }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          command:
            - sh
            - -euc
            - |
              while [ $# -gt 0 ]; do
                curl --fail --silent --show-error --location --retry 5 --retry-all-errors --create-dirs --output "/models/$1" "$2"
                echo "$3  /models/$1" | sha256sum -c -
                shift 3
              done
            - download
          args:
            {{- range $models.download }}
            - {{ .path | quote }}
            - {{ .url | quote }}
            - {{ .sha256 | quote }}
            {{- end }}
          resources:
            {{- toYaml .own.resources | nindent 12 }}
          {{- include "detection.containerSecurity" . | nindent 10 }}
          volumeMounts:
            - name: models
              mountPath: /models
        {{- end }}
        {{- with $models.init }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      containers:
        - name: silo
          image: {{ include "detection.image" . }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          env:
            {{- include "detection.clusterEnv" . | nindent 12 }}
            # Unique in the cluster, and the same as the name of the pod.
            - name: Detection__Silo__Name
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: Detection__Silo__AdvertisedAddress
              valueFrom:
                fieldRef:
                  fieldPath: status.podIP
            - name: Detection__Silo__Port
              value: "11111"
            - name: Detection__Silo__GatewayPort
              value: "30000"
            - name: Detection__Devices
              value: {{ .devices | quote }}
            - name: Detection__Models__Directory
              value: /models
            - name: Detection__Models__Default
              value: {{ $models.default | quote }}
            - name: Detection__Batching__DrainTimeout
              value: "00:00:10"
            - name: Detection__Management__Url
              value: http://*:9090
            - name: ASPNETCORE_URLS
              value: http://*:8081
            {{- with .own.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: silo
              containerPort: 11111
            - name: gateway
              containerPort: 30000
            - name: health
              containerPort: 8081
            - name: management
              containerPort: 9090
          # Succeeds when the process answers; the model may still be loading.
          startupProbe:
            httpGet:
              path: /health/live
              port: health
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet:
              path: /health/live
              port: health
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          readinessProbe:
            httpGet:
              path: /health/ready
              port: health
            periodSeconds: 5
            timeoutSeconds: 3
          resources:
            {{- toYaml .own.resources | nindent 12 }}
          {{- include "detection.containerSecurity" . | nindent 10 }}
          volumeMounts:
            - name: models
              mountPath: /models
              readOnly: true
            {{- include "detection.mounts" . | nindent 12 }}
      volumes:
        - name: models
          {{- toYaml ($models.volume | default (dict "emptyDir" dict)) | nindent 10 }}
        {{- include "detection.volumes" . | nindent 8 }}
{{ include "detection.disruption" . }}
{{- end }}
