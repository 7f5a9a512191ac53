using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using k8s.Models;
using Microsoft.Extensions.Configuration;
using YamlDotNet.RepresentationModel;

namespace Detection.Deployment.Tests.Files;

/// <summary>The objects of the Helm chart fit the API and the programs, and invalid values are refused.</summary>
public sealed partial class HelmChartTests
{
    /// <summary>The opposite of every default, and values that broke other charts.</summary>
    private const string Everything = """
        fullnameOverride: a-name-that-is-much-longer-than-names-of-services-may-be-in-kubernetes
        image: { registry: registry.example.org/team/, tag: "20161216", pullPolicy: Always, pullSecrets: [pull] }
        settings:
          Detection:
            Frontend: { MaxBufferedBytes: 1073741824 }
            Access: { Keys: { camera-1: { Sha256: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", RequestsPerSecond: 0.5 } } }
        keysSecret: keys
        clusterSecret: cluster
        models:
          default: best
          download:
            - { path: best.onnx, url: "https://models.example.org/best 1.onnx?x='$HOME'&y=\"1\"", sha256: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" }
          init: [{ name: own, image: "own:1", command: [own] }]
        silo:
          podAnnotations: { team: a }
          podLabels: { team: a }
          priorityClassName: high
          nodeSelector: { kubernetes.io/arch: arm64 }
          tolerations: [{ operator: Exists }]
          affinity: { nodeAffinity: {} }
          extraEnv: [{ name: Detection__ClusterSecurity__Certificate, value: /certificates/tls.crt }]
          extraVolumes: [{ name: certificates, secret: { secretName: certificates } }]
          extraVolumeMounts: [{ name: certificates, mountPath: /certificates }]
        gpu: { enabled: true }
        service: { type: LoadBalancer, port: 8080, annotations: { internal: "true" } }
        ingress: { enabled: true, className: nginx, annotations: { a.example.org/body-size: "0" }, hosts: [a.example.org, b.example.org], tlsSecret: own-tls }
        redis: { storage: { size: 1Gi, className: fast }, nodeSelector: { disk: ssd }, tolerations: [{ operator: Exists }], affinity: { nodeAffinity: {} } }
        metrics: { serviceMonitor: { enabled: true, labels: { release: prometheus }, interval: 30s } }
        autoscaling: { enabled: true }
        """;

    private const string Nothing = """
        redis: { enabled: false }
        topologySpread: []
        podDisruptionBudget: { enabled: false }
        networkPolicy: { enabled: false }
        metrics: { annotations: false }
        models: { volume: { persistentVolumeClaim: { claimName: models } } }
        """;

    public static readonly TheoryData<string> Values = ["", Everything, Nothing];

    public static readonly TheoryData<string, string> Refused = new()
    {
        { "silo: { replica: 3 }", "replica" },
        { "gpu: { enabled: \"yes\" }", "/gpu/enabled" },
        { "image: { registry: registry.example.org }", "/image/registry" },
        { "silo: { terminationGracePeriodSeconds: 20 }", "/silo/terminationGracePeriodSeconds" },
        { "image: { tag: 20161216 }", "/image/tag" },
        { "models: { download: [{ path: ../x, url: \"https://a/b\", sha256: \"" + Sha256OfNothing + "\" }] }", "/models/download/0/path" },
        { "models: { download: [{ path: x.onnx, url: \"https://a/b\" }] }", "sha256" },
        { "models: { volume: { emptyDir: {} }, download: [{ path: x.onnx, url: \"https://a/b\", sha256: \"" + Sha256OfNothing + "\" }] }", "models.volume" },
    };

    private const string Sha256OfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public async Task Manifests_are_rendered_from_the_chart()
    {
        HelmChart.Need();
        var folder = Directory.CreateTempSubdirectory("manifests");
        try
        {
            var (exitCode, output) = await HelmChart.RunAsync("deploy/helm/render", [folder.FullName]);
            Assert.True(exitCode == 0, output);
            foreach (var file in folder.GetFiles())
            {
                Assert.Equal(await File.ReadAllTextAsync(file.FullName), await File.ReadAllTextAsync(Path.Combine(Repository.Root, Manifests.Folder, file.Name)));
            }

            // The other values are not about the programs but about where they run.
            var others = Directory.GetFiles(Path.Combine(Repository.Root, Manifests.Folder), "*.yaml").Select(Path.GetFileName).Except(folder.GetFiles().Select(static file => file.Name));
            Assert.Equal(["kustomization.yaml", "namespace.yaml"], others.Order());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Values), DisableDiscoveryEnumeration = true)]
    public async Task Helm_lint_finds_nothing_and_every_field_is_in_the_API(string values)
    {
        HelmChart.Need();
        var (exitCode, output) = await HelmChart.LintAsync(values);
        Assert.True(exitCode == 0, output);

        Assert.NotEmpty(await HelmChart.ObjectsAsync(values));
    }

    [Theory]
    [MemberData(nameof(Values), DisableDiscoveryEnumeration = true)]
    public async Task Every_variable_is_a_setting_and_no_name_is_too_long(string values)
    {
        HelmChart.Need();
        var objects = await HelmChart.ObjectsAsync(values);
        foreach (var deployment in objects.OfType<V1Deployment>())
        {
            foreach (var variable in deployment.Container().Env)
            {
                ContainerEnvironment.Check(HelmChart.Folder, variable.Name, variable.Value);
            }
        }

        Assert.All(objects.OfType<k8s.IKubernetesObject<V1ObjectMeta>>(), static o => Assert.InRange(o.Metadata.Name.Length, 1, 52));
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Invalid_values_are_refused_by_name_and_valid_ones_are_still_accepted(string values, string named)
    {
        HelmChart.Need();
        var (exitCode, output) = await HelmChart.TemplateAsync(values);

        Assert.NotEqual(0, exitCode);
        Assert.Contains(named, output, StringComparison.Ordinal);
        Assert.NotEmpty(await HelmChart.ObjectsAsync(""));
    }

    /// <summary>Helm writes 1073741824 as 1.073741824e+09 into text, and names of container variables cannot have all characters of a key.</summary>
    [Fact]
    public async Task Settings_reach_the_programs_as_they_are_written()
    {
        HelmChart.Need();
        var objects = await HelmChart.ObjectsAsync(Everything);
        var secret = objects.OfType<V1Secret>().Single();
        using var json = new MemoryStream(Encoding.UTF8.GetBytes(secret.StringData["appsettings.json"]));
        var settings = new ConfigurationBuilder().AddJsonStream(json).Build();

        Assert.Equal("1073741824", settings["Detection:Frontend:MaxBufferedBytes"]);
        Assert.Equal("0.5", settings["Detection:Access:Keys:camera-1:RequestsPerSecond"]);
        foreach (var deployment in objects.OfType<V1Deployment>())
        {
            var mount = deployment.Container().VolumeMounts.Single(static mount => mount.Name == "settings");
            Assert.Equal((Dockerfile.Last("silo", "WORKDIR") + "/appsettings.Production.json", "appsettings.json"), (mount.MountPath, mount.SubPath));
        }
    }

    [Fact]
    public async Task Other_settings_make_other_pods_and_the_same_settings_the_same()
    {
        HelmChart.Need();
        var first = await PodsAsync("settings: { Detection: { Queue: { Capacity: 5 } } }");
        var second = await PodsAsync("settings: { Detection: { Queue: { Capacity: 6 } } }");

        Assert.NotEqual(first, second);
        Assert.Equal(first, await PodsAsync("settings: { Detection: { Queue: { Capacity: 5 } } }"));

        static async Task<string> PodsAsync(string values) =>
            JsonSerializer.Serialize((await HelmChart.ObjectsAsync(values)).OfType<V1Deployment>().Select(static own => own.Spec.Template));
    }

    [Fact]
    public async Task Image_tag_of_digits_stays_a_text_and_the_gpu_image_has_its_own_tag()
    {
        HelmChart.Need();
        var images = (await HelmChart.ObjectsAsync(Everything))
            .OfType<V1Deployment>().ToDictionary(static own => own.Metadata.Labels[Manifests.Component], static own => own.Container().Image);

        Assert.Equal("registry.example.org/team/detection-silo:20161216", images["silo"]);
        Assert.Equal("registry.example.org/team/detection-silo:20161216-cuda", images["silo-gpu"]);
        Assert.Equal("registry.example.org/team/detection-frontend:20161216", images["frontend"]);
    }

    [Fact]
    public async Task Chart_creates_no_password_and_keeps_the_replicas_of_a_scaler()
    {
        HelmChart.Need();
        Assert.Empty((await HelmChart.ObjectsAsync("")).OfType<V1Secret>());

        var scaled = (await HelmChart.ObjectsAsync("autoscaling: { enabled: true }")).OfType<V1Deployment>().ToDictionary(static own => own.Metadata.Labels[Manifests.Component]);
        Assert.Null(scaled["silo"].Spec.Replicas);
        Assert.Equal(2, scaled["frontend"].Spec.Replicas);
    }

    [Fact]
    public async Task Models_are_downloaded_before_the_silo_starts_unless_they_are_others()
    {
        HelmChart.Need();
        Assert.SkipWhen(Executables.Find("curl") is null, "No curl on this machine.");
        var model = RandomNumberGenerator.GetBytes(100_000);
        await using var server = new LoopbackServer(async context =>
        {
            context.Response.StatusCode = context.Request.RawUrl == "/a%20b?c='$HOME'" ? (int)HttpStatusCode.OK : (int)HttpStatusCode.NotFound;
            await context.Response.OutputStream.WriteAsync(model);
            context.Response.Close();
        });
        var (good, bad) = (Convert.ToHexStringLower(SHA256.HashData(model)), Sha256OfNothing);

        foreach (var sum in new[] { good, bad, good })
        {
            var folder = Directory.CreateTempSubdirectory("models");
            try
            {
                var values = $$"""
                    models: { download: [
                      { path: best.onnx, url: "{{server.Url}}a%20b?c='$HOME'", sha256: "{{good}}" },
                      { path: other/model.onnx, url: "{{server.Url}}a%20b?c='$HOME'", sha256: "{{sum}}" } ] }
                    """;
                var step = (await HelmChart.ObjectsAsync(values)).OfType<V1Deployment>().Single(static own => own.Metadata.Labels[Manifests.Component] == "silo")
                    .Spec.Template.Spec.InitContainers.Single(static step => step.Name == "download-models");
                var command = step.Command.Concat(step.Args).Select(part => part.Replace("/models/", $"{folder.FullName}/", StringComparison.Ordinal)).ToList();

                Assert.Equal(sum == good, await HelmChart.RunAsync(command[0], [.. command[1..]]) is (0, _));
                Assert.Equal(model, await File.ReadAllBytesAsync(Path.Combine(folder.FullName, "best.onnx")));
                if (sum == good)
                {
                    Assert.Equal(model, await File.ReadAllBytesAsync(Path.Combine(folder.FullName, "other/model.onnx")));
                }
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
    }

    [Fact]
    public async Task Kustomize_replaces_the_models_of_the_image_by_the_volume()
    {
        HelmChart.Need("kubectl");
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", $"kustomize-{Guid.NewGuid():N}"));
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "kustomization.yaml"), $"""
                resources: [../../{Manifests.Folder}]
                components: [../../{Manifests.Folder}/models]
                """);
            var (exitCode, output) = await HelmChart.RunAsync("kubectl", ["kustomize", folder.FullName]);
            Assert.True(exitCode == 0, output);
            var objects = Manifests.Read(folder.Name, output);
            var silo = objects.OfType<V1Deployment>().Single(static own => own.Metadata.Labels[Manifests.Component] == "silo").Spec.Template.Spec;

            Assert.Null(silo.InitContainers);
            var claim = silo.Volumes.Single(static volume => volume.Name == "models").PersistentVolumeClaim.ClaimName;
            Assert.Contains(objects.OfType<V1PersistentVolumeClaim>(), own => own.Metadata.Name == claim && own.Metadata.NamespaceProperty == "detection");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_chart_has_the_version_of_the_programs()
    {
        var version = XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props")).Descendants("Version").Single().Value;
        var chart = (YamlMappingNode)Yaml("Chart.yaml");

        Assert.Equal(version, chart["version"].ToString());
        Assert.Equal(version, chart["appVersion"].ToString());
    }

    [Fact]
    public void Every_value_has_its_row_in_the_readme_with_its_default()
    {
        var rows = File.ReadLines(Path.Combine(Repository.Root, HelmChart.Folder, "README.md"))
            .Select(static line => Row().Match(line)).Where(static match => match.Success)
            .ToDictionary(static match => match.Groups[1].Value, static match => match.Groups[2].Value.Trim('`'));

        // Values that silos, GPU silos and front ends have in common are described once, with the default of silos.
        var values = Leaves("", Yaml("values.yaml"))
            .DistinctBy(static leaf => Pods().Replace(leaf.Name, "PODS."))
            .ToDictionary(static leaf => Pods().Replace(leaf.Name, "PODS."), static leaf => leaf.Value);

        Assert.Equal(values.Keys.Order(), rows.Keys.Order());
        Assert.All(values, value => Assert.Equal(value.Value, rows[value.Key]));
    }

    private static YamlNode Yaml(string file)
    {
        using var text = File.OpenText(Path.Combine(Repository.Root, HelmChart.Folder, file));
        var yaml = new YamlStream();
        yaml.Load(text);
        return yaml.Documents[0].RootNode;
    }

    private static IEnumerable<(string Name, string Value)> Leaves(string path, YamlNode node) => node switch
    {
        YamlMappingNode { Children.Count: > 0 } map when !path.EndsWith("resources", StringComparison.Ordinal) && !path.EndsWith("nodeSelector", StringComparison.Ordinal) =>
            map.Children.SelectMany(child => Leaves(path.Length == 0 ? child.Key.ToString() : $"{path}.{child.Key}", child.Value)),
        YamlMappingNode { Children.Count: > 0 } => [(path, "see the file")],
        YamlMappingNode => [(path, "{}")],
        YamlSequenceNode { Children.Count: > 0 } list => [(path, string.Join(", ", list.Children))],
        YamlSequenceNode => [(path, "[]")],
        _ => [(path, node.ToString())],
    };

    [GeneratedRegex(@"^\| `([A-Za-z.]+)` \| ?([^|]*?) ?\|")]
    private static partial Regex Row();

    [GeneratedRegex(@"^(silo|gpu|frontend)\.(?=(podAnnotations|podLabels|priorityClassName|nodeSelector|tolerations|affinity|extraEnv|extraVolumes|extraVolumeMounts|terminationGracePeriodSeconds)$)")]
    private static partial Regex Pods();
}
