using System.Globalization;
using System.Text.RegularExpressions;
using Detection.Grains.Batching;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Hosting;

namespace Detection.Deployment.Tests.Files;

/// <summary>The Kubernetes manifests fit the API, each other and the programs. No cluster applies them here.</summary>
public sealed partial class ManifestTests
{
    public static readonly TheoryData<string> Programs = ["silo", "silo-gpu", "frontend"];

    [Fact]
    public void Everything_belongs_together()
    {
        var kustomization = Assert.Single(Manifests.Of<Kustomization>());
        Assert.All(kustomization.Resources, static file => Assert.True(File.Exists(Path.Combine(Repository.Root, Manifests.Folder, file)), file));
        Assert.Contains(Manifests.Of<V1Namespace>(), space => space.Metadata.Name == kustomization.Namespace);
        Assert.All(
            Manifests.Of<IKubernetesObject<V1ObjectMeta>>().Where(static o => o is not V1Namespace),
            o => Assert.Equal(kustomization.Namespace, o.Metadata.NamespaceProperty));
        foreach (var service in Manifests.Of<V1Service>())
        {
            var template = Manifests.Of<V1Deployment>().Select(static d => d.Spec.Template).Concat(Manifests.Of<V1StatefulSet>().Select(static s => s.Spec.Template))
                .Single(template => template.Metadata.Labels["app"] == service.Spec.Selector["app"]);
            Assert.All(service.Spec.Ports, port => Assert.Contains(template.Spec.Containers[0].Ports, own => own.Name == port.TargetPort.Value));
        }
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Every_variable_is_a_setting(string name)
    {
        var container = Manifests.Deployment(name).Container();

        foreach (var variable in container.Env)
        {
            Assert.True((variable.Value is null) != (variable.ValueFrom is null), variable.Name);
            ContainerEnvironment.Check($"{Manifests.Folder}, {name}", variable.Name, variable.Value);
            if (variable.ValueFrom?.SecretKeyRef is { } secret)
            {
                Assert.Contains(secret.Key, KeysOfSecret(secret.Name));
            }
        }

        Assert.NotNull(container.Variable("ConnectionStrings__redis"));
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Every_port_is_one_that_the_program_listens_on(string name)
    {
        var deployment = Manifests.Deployment(name);
        var container = deployment.Container();
        var http = container.Port(name == "frontend" ? "http" : "health");

        Assert.Equal(http, ContainerEnvironment.Port(container.Variable("ASPNETCORE_URLS")!.Value));
        Assert.Equal(container.Port("management"), ContainerEnvironment.Port(container.Variable("Detection__Management__Url")!.Value));
        Assert.Equal(
            container.Port("management").ToString(CultureInfo.InvariantCulture),
            deployment.Spec.Template.Metadata.Annotations["prometheus.io/port"]);
        Assert.All(
            new[] { container.StartupProbe, container.LivenessProbe, container.ReadinessProbe },
            probe => Assert.Equal(http, container.Port(probe.HttpGet.Port.Value)));
        if (name != "frontend")
        {
            Assert.Equal(container.Port("silo").ToString(CultureInfo.InvariantCulture), container.Variable("Detection__Silo__Port")!.Value);
            Assert.Equal(container.Port("gateway").ToString(CultureInfo.InvariantCulture), container.Variable("Detection__Silo__GatewayPort")!.Value);
        }
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("silo-gpu")]
    public void A_silo_is_named_and_found_by_its_pod(string name)
    {
        var container = Manifests.Deployment(name).Container();

        Assert.Equal("metadata.name", container.Variable("Detection__Silo__Name")!.ValueFrom.FieldRef.FieldPath);
        Assert.Equal("status.podIP", container.Variable("Detection__Silo__AdvertisedAddress")!.ValueFrom.FieldRef.FieldPath);
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void A_pod_has_more_time_to_stop_than_its_host_and_that_more_than_its_devices(string name)
    {
        var deployment = Manifests.Deployment(name);
        var container = deployment.Container();
        var grace = TimeSpan.FromSeconds(deployment.Spec.Template.Spec.TerminationGracePeriodSeconds!.Value - (container.Lifecycle?.PreStop.Sleep.Seconds ?? 0));
        var host = new HostOptions().ShutdownTimeout;
        var drain = container.Variable("Detection__Batching__DrainTimeout")?.Value is { } text ? TimeSpan.Parse(text, CultureInfo.InvariantCulture) : new BatcherOptions().DrainTimeout;

        Assert.True(grace > host, $"grace {grace}, host {host}");
        Assert.True(host >= drain + TimeSpan.FromSeconds(5), $"host {host}, drain {drain}");
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void A_pod_may_do_no_more_than_it_must(string name)
    {
        var pod = Manifests.Deployment(name).Spec.Template.Spec;
        var security = Manifests.Deployment(name).Container().SecurityContext;

        Assert.True(pod.SecurityContext.RunAsNonRoot);
        Assert.Equal(Dockerfile.Last(name.Split('-')[0], "USER"), $"{pod.SecurityContext.RunAsUser}:{pod.SecurityContext.RunAsGroup}");
        Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
        Assert.False(pod.AutomountServiceAccountToken);
        Assert.True(security.ReadOnlyRootFilesystem);
        Assert.False(security.AllowPrivilegeEscalation);
        Assert.Equal(["ALL"], security.Capabilities.Drop);
        Assert.Contains(Manifests.Of<V1PodDisruptionBudget>(), budget => budget.Spec.Selector.MatchLabels["app"] == Manifests.Deployment(name).Spec.Template.Metadata.Labels["app"]);
        Assert.Equal(Manifests.Deployment(name).Spec.Selector.MatchLabels, Manifests.Deployment(name).Spec.Template.Metadata.Labels);
    }

    [Fact]
    public void Redis_may_do_no_more_than_it_must_and_its_password_is_a_secret()
    {
        var pod = Assert.Single(Manifests.Of<V1StatefulSet>()).Spec.Template.Spec;
        var container = Assert.Single(pod.Containers);

        Assert.True(pod.SecurityContext.RunAsNonRoot);
        Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
        Assert.False(pod.AutomountServiceAccountToken);
        Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
        Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
        Assert.Contains("memory", container.Resources.Limits.Keys);
        Assert.Contains(container.Variable("REDISCLI_AUTH")!.ValueFrom.SecretKeyRef.Key, KeysOfSecret("detection-redis"));
        Assert.Empty(Manifests.Of<V1Secret>());
    }

    [Theory]
    [InlineData("silo", "silo", "silo", true)]
    [InlineData("silo-gpu", "silo", "silo", true)]
    [InlineData("silo", "silo-gpu", "silo", true)]
    [InlineData("frontend", "silo", "silo", false)]
    [InlineData("frontend", "silo", "gateway", true)]
    [InlineData("frontend", "silo-gpu", "gateway", true)]
    [InlineData("frontend", "redis", "redis", true)]
    [InlineData("silo", "redis", "redis", true)]
    [InlineData("silo-gpu", "redis", "redis", true)]
    [InlineData("silo", "frontend", "management", false)]
    [InlineData("redis", "silo", "gateway", false)]
    [InlineData("other", "silo", "silo", false)]
    [InlineData("other", "silo", "gateway", false)]
    [InlineData("other", "silo", "health", false)]
    [InlineData("other", "silo", "management", false)]
    [InlineData("other", "redis", "redis", false)]
    [InlineData("other", "frontend", "http", true)]
    [InlineData("monitoring", "silo", "management", true)]
    [InlineData("monitoring", "silo-gpu", "management", true)]
    [InlineData("monitoring", "frontend", "management", true)]
    [InlineData("monitoring", "silo", "silo", false)]
    [InlineData("monitoring", "redis", "redis", false)]
    public void Pods_connect_to_what_they_must_and_nothing_else(string from, string to, string port, bool may) =>
        Assert.Equal(may, NetworkPolicies.Allow(from, to, port));

    [Fact]
    public void Every_port_of_a_network_policy_is_one_of_the_pods_that_it_is_for()
    {
        foreach (var policy in Manifests.Of<V1NetworkPolicy>())
        {
            Assert.All(NetworkPolicies.Pods(policy), pod => Assert.All(
                policy.Spec.Ingress?.SelectMany(static rule => rule.Ports) ?? [],
                port => Assert.Contains(pod.Spec.Containers[0].Ports, own => own.Name == port.Port.Value)));
        }
    }

    [Fact]
    public void Silos_are_scaled_by_the_age_of_what_waits()
    {
        var scaled = Assert.Single(Manifests.Of<ScaledObject>());
        var trigger = Assert.Single(scaled.Spec.Triggers);

        Assert.Equal("silo", Manifests.Deployment(scaled.Spec.ScaleTargetRef.Name).Metadata.Name);
        Assert.Equal(("prometheus", "Value"), (trigger.Type, trigger.MetricType));
        Assert.Equal(["query", "serverAddress", "threshold"], trigger.Metadata.Keys.Order());
        Assert.InRange(scaled.Spec.Fallback!.Replicas, scaled.Spec.MinReplicaCount, scaled.Spec.MaxReplicaCount);
    }

    /// <summary>Secrets are made by a command of the documentation, so that no password is in a file.</summary>
    private static IEnumerable<string> KeysOfSecret(string name)
    {
        var command = File.ReadAllText(Path.Combine(Repository.Root, "docs/deployment.md"))
            .Replace("\\\n", " ", StringComparison.Ordinal)
            .Split('\n')
            .Single(line => line.Contains($"create secret generic {name} ", StringComparison.Ordinal));
        return LiteralOfSecret().Matches(command).Select(static match => match.Groups[1].Value);
    }

    [GeneratedRegex("--from-literal=([a-z-]+)=")]
    private static partial Regex LiteralOfSecret();
}
