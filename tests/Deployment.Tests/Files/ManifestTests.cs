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
    public void Objects_of_the_manifests_refer_to_each_other()
    {
        var kustomization = Assert.Single(Manifests.Of<Kustomization>(), static own => own.Kind == "Kustomization");
        Assert.All(kustomization.Resources, static file => Assert.True(File.Exists(Path.Combine(Repository.Root, Manifests.Folder, file)), file));
        Assert.Contains(Manifests.Of<V1Namespace>(), space => space.Metadata.Name == kustomization.Namespace);
        Assert.All(
            Manifests.Of<IKubernetesObject<V1ObjectMeta>>().Where(static o => o is not V1Namespace),
            o => Assert.Equal(kustomization.Namespace, o.Metadata.NamespaceProperty));
        foreach (var service in Manifests.Of<V1Service>())
        {
            var pods = Manifests.Pods.Where(template => service.Spec.Selector.All(template.Metadata.Labels.Contains)).ToList();
            Assert.NotEmpty(pods);
            Assert.All(pods, template => Assert.All(service.Spec.Ports, port => Assert.Contains(template.Spec.Containers[0].Ports, own => own.Name == port.TargetPort.Value)));
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
    public void Silo_has_the_name_and_the_address_of_its_pod(string name)
    {
        var container = Manifests.Deployment(name).Container();

        Assert.Equal("metadata.name", container.Variable("Detection__Silo__Name")!.ValueFrom.FieldRef.FieldPath);
        Assert.Equal("status.podIP", container.Variable("Detection__Silo__AdvertisedAddress")!.ValueFrom.FieldRef.FieldPath);
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Pod_has_more_time_to_stop_than_its_host_and_the_host_more_than_its_devices(string name)
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
    public void Pod_has_only_the_rights_that_it_needs(string name)
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
        Assert.Contains(Manifests.Of<V1PodDisruptionBudget>(), budget => budget.Spec.Selector.MatchLabels[Manifests.Component] == name);
        Assert.Equal(Manifests.Deployment(name).Spec.Selector.MatchLabels, Manifests.Deployment(name).Spec.Template.Metadata.Labels);
    }

    [Fact]
    public void Redis_has_only_the_rights_that_it_needs_and_its_password_is_a_secret()
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
    public void Pods_may_connect_only_where_they_need_to(string from, string to, string port, bool may) =>
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
    public void Silos_are_scaled_by_the_age_of_the_oldest_picture()
    {
        var scaled = Assert.Single(Manifests.Of<ScaledObject>());
        var trigger = Assert.Single(scaled.Spec.Triggers);

        Assert.Equal(Manifests.Deployment("silo").Metadata.Name, scaled.Spec.ScaleTargetRef.Name);
        Assert.Equal(("prometheus", "Value"), (trigger.Type, trigger.MetricType));
        Assert.Equal(["query", "serverAddress", "threshold"], trigger.Metadata.Keys.Order());
        Assert.InRange(scaled.Spec.Fallback!.Replicas, scaled.Spec.MinReplicaCount, scaled.Spec.MaxReplicaCount);
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Pods_are_spread_over_nodes_and_zones_without_those_of_earlier_revisions(string name)
    {
        var pod = Manifests.Deployment(name).Spec.Template;

        Assert.Equal(["kubernetes.io/hostname", "topology.kubernetes.io/zone"], pod.Spec.TopologySpreadConstraints.Select(static constraint => constraint.TopologyKey));
        Assert.All(pod.Spec.TopologySpreadConstraints, constraint =>
        {
            Assert.Equal(Manifests.Deployment(name).Spec.Selector.MatchLabels, constraint.LabelSelector.MatchLabels);
            Assert.Equal(["pod-template-hash"], constraint.MatchLabelKeys);
        });
    }

    [Fact]
    public void Images_have_a_version_tag_and_are_pulled_only_when_missing()
    {
        var containers = Manifests.Pods.SelectMany(static pod => pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []));
        Assert.All(containers, static container =>
        {
            Assert.Matches(":[0-9]", container.Image);
            Assert.Equal("IfNotPresent", container.ImagePullPolicy);
        });
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("silo-gpu")]
    public void Silo_reads_models_from_a_volume_that_an_init_container_fills(string name)
    {
        var pod = Manifests.Deployment(name).Spec.Template.Spec;
        var mount = pod.Containers[0].VolumeMounts.Single(static mount => mount.MountPath == "/models");
        var step = Assert.Single(pod.InitContainers);

        Assert.Equal(mount.MountPath, pod.Containers[0].Variable("Detection__Models__Directory")!.Value);
        Assert.True(mount.ReadOnlyProperty);
        Assert.Equal(pod.Containers[0].Image, step.Image);
        Assert.Equal(["cp", "-R", $"{Dockerfile.Last("silo", "WORKDIR")}/models/.", $"{mount.MountPath}/"], step.Command);
        Assert.Equal(mount.Name, Assert.Single(step.VolumeMounts).Name);
        Assert.Contains(pod.Volumes, volume => volume.Name == mount.Name && volume.EmptyDir is not null);
    }

    [Fact]
    public void The_ingress_has_TLS_and_leads_to_the_front_end()
    {
        var ingress = Assert.Single(Manifests.Of<V1Ingress>());
        var rule = Assert.Single(ingress.Spec.Rules);
        var backend = Assert.Single(rule.Http.Paths).Backend.Service;
        var service = Manifests.Of<V1Service>().Single(service => service.Metadata.Name == backend.Name);

        Assert.Equal([rule.Host], Assert.Single(ingress.Spec.Tls).Hosts);
        Assert.Contains(service.Spec.Ports, port => port.Name == backend.Port.Name);
        Assert.Equal("frontend", service.Spec.Selector[Manifests.Component]);
    }

    [Fact]
    public void The_service_monitor_finds_every_silo_and_front_end_and_nothing_else()
    {
        var monitor = Assert.Single(Manifests.Of<ServiceMonitor>());
        var service = Assert.Single(Manifests.Of<V1Service>(), service => monitor.Spec.Selector.MatchLabels.All(service.Metadata.Labels.Contains));
        var endpoint = Assert.Single(monitor.Spec.Endpoints);
        var pods = Manifests.Pods.Where(pod => service.Spec.Selector.All(pod.Metadata.Labels.Contains));

        Assert.Equal(["frontend", "silo", "silo-gpu"], pods.Select(static pod => pod.Metadata.Labels[Manifests.Component]).Order());
        Assert.Contains(service.Spec.Ports, port => port.Name == endpoint.Port);
        Assert.Equal(Manifests.Deployment("silo").Spec.Template.Metadata.Annotations["prometheus.io/path"], endpoint.Path);
        Assert.True(service.Spec.PublishNotReadyAddresses);
    }

    /// <summary>A command of the documents creates the secrets, so that no file has a password.</summary>
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
