using k8s.Models;

namespace Detection.Deployment.Tests.Files;

/// <summary>Evaluates the network policies of the manifests as Kubernetes does: a connection that no policy of a pod allows is refused.</summary>
internal static class NetworkPolicies
{
    /// <summary>Whether a pod may connect.</summary>
    /// <param name="from">The component of the connecting pod; <c>other</c> for a pod without labels, <c>monitoring</c> for a pod of that namespace.</param>
    /// <param name="to">The component of the other pod.</param>
    /// <param name="port">The name of its port.</param>
    public static bool Allow(string from, string to, string port)
    {
        var policies = Manifests.Of<V1NetworkPolicy>().Where(policy => Selects(policy.Spec.PodSelector, Labels(to))).ToList();
        return policies.Count == 0 || policies.SelectMany(static policy => policy.Spec.Ingress ?? []).Any(rule =>
            rule.Ports.Any(own => own.Port.Value == port) && (rule.FromProperty is null || rule.FromProperty.Any(peer => Is(peer, from))));
    }

    /// <summary>The pods of the manifests that a policy applies to.</summary>
    public static IEnumerable<V1PodTemplateSpec> Pods(V1NetworkPolicy policy) =>
        Manifests.Pods.Where(template => Selects(policy.Spec.PodSelector, template.Metadata.Labels));

    private static bool Is(V1NetworkPolicyPeer peer, string from) => peer.NamespaceSelector is { } space
        ? space.MatchLabels["kubernetes.io/metadata.name"] == from
        : from != "monitoring" && Selects(peer.PodSelector, Labels(from));

    private static IDictionary<string, string> Labels(string component) =>
        Manifests.Pods.Select(static template => template.Metadata.Labels).FirstOrDefault(labels => labels[Manifests.Component] == component)
        ?? new Dictionary<string, string>();

    private static bool Selects(V1LabelSelector selector, IDictionary<string, string> labels) =>
        (selector.MatchLabels?.All(labels.Contains) ?? true)
        && (selector.MatchExpressions?.All(rule => rule.OperatorProperty == "In" && labels.TryGetValue(rule.Key, out var value) && rule.Values.Contains(value)) ?? true);
}
