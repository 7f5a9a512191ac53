using k8s;
using k8s.Models;

namespace Detection.Deployment.Tests.Files;

/// <summary>
/// The Kubernetes manifests, read strictly into the types of the Kubernetes API: an unknown field or a value of another kind is an error.
/// </summary>
internal static class Manifests
{
    public const string Folder = "deploy/kubernetes";

    /// <summary>The label that distinguishes the components.</summary>
    public const string Component = "app.kubernetes.io/component";

    private static readonly Dictionary<string, Type> Others = new()
    {
        ["keda.sh/v1alpha1/ScaledObject"] = typeof(ScaledObject),
        ["monitoring.coreos.com/v1/ServiceMonitor"] = typeof(ServiceMonitor),
        ["kustomize.config.k8s.io/v1beta1/Kustomization"] = typeof(Kustomization),
        ["kustomize.config.k8s.io/v1alpha1/Component"] = typeof(Kustomization),
    };

    /// <summary>All objects of the folder.</summary>
    public static IReadOnlyList<object> All { get; } = [.. Files.SelectMany(static file => Read(file, File.ReadAllText(file)))];

    /// <summary>The pods of all deployments and stateful sets.</summary>
    public static IEnumerable<V1PodTemplateSpec> Pods =>
        Of<V1Deployment>().Select(static own => own.Spec.Template).Concat(Of<V1StatefulSet>().Select(static own => own.Spec.Template));

    /// <summary>The files of the folder.</summary>
    public static string[] Files => Directory.GetFiles(Path.Combine(Repository.Root, Folder), "*.yaml", SearchOption.AllDirectories);

    /// <summary>The objects of one kind.</summary>
    public static IEnumerable<T> Of<T>() => All.OfType<T>();

    /// <summary>The deployment of this component.</summary>
    public static V1Deployment Deployment(string component) => Of<V1Deployment>().Single(deployment => deployment.Metadata.Labels[Component] == component);

    /// <summary>The only container of a deployment.</summary>
    public static V1Container Container(this V1Deployment deployment) => Assert.Single(deployment.Spec.Template.Spec.Containers);

    /// <summary>A variable of a container; null when it has none of this name.</summary>
    public static V1EnvVar? Variable(this V1Container container, string name) => container.Env.SingleOrDefault(variable => variable.Name == name);

    /// <summary>The number of a named port.</summary>
    public static int Port(this V1Container container, string name) => container.Ports.Single(port => port.Name == name).ContainerPort;

    /// <summary>The objects of a text with one or more documents.</summary>
    public static List<object> Read(string file, string text)
    {
        try
        {
            return KubernetesYaml.LoadAllFromString(text, Others, strict: true);
        }
        catch (YamlDotNet.Core.YamlException e)
        {
            throw new InvalidDataException($"{file}{e.Start}: {e.Message} {e.InnerException?.Message}", e);
        }
    }
}

/// <summary>KEDA's resource, as far as the manifests use it.</summary>
internal sealed class ScaledObject : IKubernetesObject<V1ObjectMeta>
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public V1ObjectMeta Metadata { get; set; } = new();

    public ScaledObjectSpec Spec { get; set; } = new();
}

internal sealed class ScaledObjectSpec
{
    public ScaleTarget ScaleTargetRef { get; set; } = new();

    public int MinReplicaCount { get; set; }

    public int MaxReplicaCount { get; set; }

    public int PollingInterval { get; set; }

    public ScaleFallback? Fallback { get; set; }

    public ScaleAdvanced? Advanced { get; set; }

    public List<ScaleTrigger> Triggers { get; set; } = [];
}

internal sealed class ScaleTarget
{
    public string Name { get; set; } = "";
}

internal sealed class ScaleFallback
{
    public int FailureThreshold { get; set; }

    public int Replicas { get; set; }
}

internal sealed class ScaleAdvanced
{
    public ScaleAutoscaler? HorizontalPodAutoscalerConfig { get; set; }
}

internal sealed class ScaleAutoscaler
{
    public V2HorizontalPodAutoscalerBehavior? Behavior { get; set; }
}

internal sealed class ScaleTrigger
{
    public string Type { get; set; } = "";

    public string MetricType { get; set; } = "";

    public Dictionary<string, string> Metadata { get; set; } = [];
}

/// <summary>What <c>kubectl apply -k</c> applies.</summary>
internal sealed class Kustomization : IKubernetesObject
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public string Namespace { get; set; } = "";

    public List<string> Resources { get; set; } = [];

    public List<KustomizePatch> Patches { get; set; } = [];
}

internal sealed class KustomizePatch
{
    public KustomizeTarget Target { get; set; } = new();

    public string Patch { get; set; } = "";
}

internal sealed class KustomizeTarget
{
    public string Kind { get; set; } = "";

    public string LabelSelector { get; set; } = "";
}

/// <summary>The resource of the Prometheus operator, as far as the manifests use it.</summary>
internal sealed class ServiceMonitor : IKubernetesObject<V1ObjectMeta>
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public V1ObjectMeta Metadata { get; set; } = new();

    public ServiceMonitorSpec Spec { get; set; } = new();
}

internal sealed class ServiceMonitorSpec
{
    public V1LabelSelector Selector { get; set; } = new();

    public string JobLabel { get; set; } = "";

    public List<string> PodTargetLabels { get; set; } = [];

    public List<ServiceMonitorEndpoint> Endpoints { get; set; } = [];
}

internal sealed class ServiceMonitorEndpoint
{
    public string Port { get; set; } = "";

    public string Path { get; set; } = "";

    public string Interval { get; set; } = "";
}
