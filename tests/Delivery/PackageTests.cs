using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Json;
using System.Xml.Linq;

namespace Detection.Delivery;

/// <summary>The packages, from a feed that is a folder: their content, and a program that uses each.</summary>
public sealed class PackageTests
{
    [Fact]
    public async Task The_client_and_the_tool_are_complete_packages_that_work()
    {
        await using var workshop = new Workshop();
        // A unique version, because the machine's package cache keeps packages by version.
        var version = string.Create(CultureInfo.InvariantCulture, $"0.0.1-test.t{DateTime.UtcNow:yyMMddHHmmss}");
        foreach (var project in new[] { "Objects", "Contracts", "Client", "Tool" })
        {
            await workshop.DotnetAsync(
                "pack", Path.Combine(Repository.Root, "src", project), "-c", "Release", "--artifacts-path", workshop.At("artifacts"), "-o", workshop.At("feed"),
                $"-p:Version={version}", "-p:RunAnalyzers=false", "-p:ContinuousIntegrationBuild=true");
        }

        try
        {
            Look(workshop, "Detection.Client", version, "net10.0/Detection.Client.dll", "net10.0/Detection.Client.xml");
            Look(workshop, "Detection.Contracts", version, "net10.0/Detection.Contracts.dll", "net10.0/Detection.Contracts.xml");
            Look(workshop, "Detection.Objects", version, "net10.0/Detection.Objects.dll", "net10.0/Detection.Objects.xml");
            await EmbedAsync(workshop, version);
            await InstallAsync(workshop, version);
        }
        finally
        {
            foreach (var id in new[] { "detection.client", "detection.contracts", "detection.objects", "detection.tool" })
            {
                var cached = Path.Combine(
                    Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages"),
                    id,
                    version);
                if (Directory.Exists(cached))
                {
                    Directory.Delete(cached, recursive: true);
                }
            }
        }
    }

    private static void Look(Workshop workshop, string id, string version, params string[] libraries)
    {
        using var package = ZipFile.OpenRead(workshop.At($"feed/{id}.{version}.nupkg"));
        var names = package.Entries.Select(static entry => entry.FullName).ToList();
        Assert.Contains("README.md", names);
        Assert.All(libraries, library => Assert.Contains($"lib/{library}", names));

        using var text = package.GetEntry($"{id}.nuspec")!.Open();
        var metadata = XDocument.Load(text).Root!.Elements().Single();
        string? Value(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;
        Assert.Equal("MIT", Value("license"));
        Assert.Equal("README.md", Value("readme"));
        Assert.NotEmpty(Value("description")!);
        Assert.NotEqual("Package Description", Value("description"));
        Assert.Contains(metadata.Elements(), static element => element.Name.LocalName == "repository" && element.Attribute("commit")?.Value.Length == 40);

        using var symbols = ZipFile.OpenRead(workshop.At($"feed/{id}.{version}.snupkg"));
        Assert.Contains(symbols.Entries, entry => entry.FullName == $"lib/net10.0/{id}.pdb");
    }

    /// <summary>The sample outside the repository, with the package instead of the project.</summary>
    private static async Task EmbedAsync(Workshop workshop, string version)
    {
        var sample = Path.Combine(Repository.Root, "samples", "CountPeople");
        var project = await File.ReadAllTextAsync(Path.Combine(sample, "CountPeople.csproj"));
        const string Reference = """<ProjectReference Include="../../src/Client/Detection.Client.csproj" />""";
        Assert.Contains(Reference, project, StringComparison.Ordinal);
        workshop.Write("sample/CountPeople.csproj", project.Replace(Reference, $"""<PackageReference Include="Detection.Client" Version="{version}" />""", StringComparison.Ordinal));
        workshop.Write("sample/Program.cs", await File.ReadAllTextAsync(Path.Combine(sample, "Program.cs")));
        await workshop.DotnetAsync("build", workshop.At("sample"), "-o", workshop.At("built"), $"-p:RestoreAdditionalProjectSources={workshop.At("feed")}", "-warnaserror");

        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0);
        var url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackPorts.Next()}"));
        var settings = new Dictionary<string, string?>(cluster.Redis.ClientEnvironment)
        {
            [DetectionSettings.Redis] = cluster.Redis.ConnectionString,
            ["ASPNETCORE_URLS"] = url.ToString().TrimEnd('/'),
        };
        await using var application = ChildProcess.Start("CountPeople", "dotnet", [workshop.At("built/CountPeople.dll")], settings, workshop.Folder);
        using var http = new HttpClient();
        await Eventually.Async(
            async limit =>
            {
                using var picture = Picture.Content();
                using var answer = await http.PostAsync(new Uri(url, "/people"), picture, limit);
                return answer.IsSuccessStatusCode && await answer.Content.ReadFromJsonAsync<int>(limit) == 1;
            },
            Eventually.Soon,
            "the sample counts one person");
        Assert.Equal(0, await application.StopAsync());
    }

    private static async Task InstallAsync(Workshop workshop, string version)
    {
        await workshop.DotnetAsync("tool", "install", "Detection.Tool", "--version", version, "--tool-path", workshop.At("tools"), "--add-source", workshop.At("feed"));
        var written = await workshop.RunAsync(workshop.At("tools/detection"), ["detect", Picture.File]);
        Assert.Contains("person", written, StringComparison.Ordinal);
    }
}
