using k8s.Models;

namespace Detection.Deployment.Tests.Files;

/// <summary>What the network policies of the manifests let through, as Kubernetes reads them: what no policy of a pod names is refused.</summary>
internal static class NetworkPolicies
{
    /// <summary>Whether a pod may connect.</summary>
    /// <param name="from">The label <c>app</c> of a pod of the namespace, or <c>monitoring</c> for one of that namespace.</param>
    /// <param name="to">The label <c>app</c> of the pod that is connected to.</param>
    /// <param name="port">The name of its port.</param>
    public static bool Allow(string from, string to, string port)
    {
        var policies = Manifests.Of<V1NetworkPolicy>().Where(policy => Selects(policy.Spec.PodSelector, to)).ToList();
        return policies.Count == 0 || policies.SelectMany(static policy => policy.Spec.Ingress ?? []).Any(rule =>
            rule.Ports.Any(own => own.Port.Value == port) && (rule.FromProperty is null || rule.FromProperty.Any(peer => Is(peer, from))));
    }

    /// <summary>The pods of the manifests that a policy is for.</summary>
    public static IEnumerable<V1PodTemplateSpec> Pods(V1NetworkPolicy policy) => Manifests.Of<V1Deployment>().Select(static own => own.Spec.Template)
        .Concat(Manifests.Of<V1StatefulSet>().Select(static own => own.Spec.Template))
        .Where(template => Selects(policy.Spec.PodSelector, template.Metadata.Labels["app"]));

    private static bool Is(V1NetworkPolicyPeer peer, string from) => peer.NamespaceSelector is { } space
        ? space.MatchLabels["kubernetes.io/metadata.name"] == from
        : from != "monitoring" && Selects(peer.PodSelector, from);

    private static bool Selects(V1LabelSelector selector, string app) =>
        (selector.MatchLabels?.All(label => label.Key == "app" && label.Value == app) ?? true)
        && (selector.MatchExpressions?.All(rule => rule is { Key: "app", OperatorProperty: "In" } && rule.Values.Contains(app)) ?? true);
}
