using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Detection.Delivery;

/// <summary>The packages, from a feed that is a folder: their content, and a program that uses each.</summary>
public sealed partial class PackageTests
{
    private static readonly string[] Libraries = ["Objects", "Contracts", "Client", "AspNetCore", "Inference", "Grains", "Hosting", "Embedded"];

    /// <summary>The dependencies of the client's package: what it uses, and not the versions that this repository pins.</summary>
    private static readonly string[] UsedByClient =
        ["Detection.Contracts", "Microsoft.Extensions.Options.DataAnnotations", "Microsoft.Orleans.Client", "Microsoft.Orleans.Clustering.Redis", "StackExchange.Redis"];

    [Fact]
    public async Task Libraries_and_tool_are_complete_packages_that_work()
    {
        await using var workshop = new Workshop();
        // A unique version, because the machine's package cache keeps packages by version. A stable one, because dotnet pack accepts more for a prerelease.
        var now = DateTime.UtcNow;
        var version = string.Create(CultureInfo.InvariantCulture, $"0.{(now - new DateTime(2020, 1, 1)).Days}.{(int)now.TimeOfDay.TotalSeconds / 2}");
        string[] options = ["--artifacts-path", workshop.At("artifacts"), $"-p:Version={version}", "-p:RunAnalyzers=false", "-p:ContinuousIntegrationBuild=true", "-p:RepositoryUrl=https://example.org/detection.git"];
        await PackAsReadmeSaysAsync(workshop, options);
        await workshop.DotnetAsync(["pack", Path.Combine(Repository.Root, "src/Tool"), "-c", "Release", "-o", workshop.At("feed"), .. options]);
        string[] projects = [.. Libraries, "Tool"];

        try
        {
            foreach (var project in projects.SkipLast(1))
            {
                Look(workshop, $"Detection.{project}", version);
            }

            Assert.Equal(UsedByClient, Dependencies(workshop, "Detection.Client", version));
            await EmbedAsync(workshop, version);
            await RefuseAsync(workshop);
            await HostAsync(workshop, version);
            await InstallAsync(workshop, version);
        }
        finally
        {
            foreach (var project in projects)
            {
                var cached = Path.Combine(
                    Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages"),
                    $"detection.{project.ToLowerInvariant()}",
                    version);
                if (Directory.Exists(cached))
                {
                    Directory.Delete(cached, recursive: true);
                }
            }
        }
    }

    /// <summary>The command of the README, in the repository, with an output folder and options of this test. It reports a failure.</summary>
    private static async Task PackAsReadmeSaysAsync(Workshop workshop, string[] options)
    {
        const string Output = "-o packages";
        var command = Assert.Single(await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "README.md")), static line => line.Contains("dotnet pack src/$name", StringComparison.Ordinal));
        Assert.Contains($"for name in {string.Join(' ', Libraries)};", command, StringComparison.Ordinal);
        Assert.Contains(Output, command, StringComparison.Ordinal);
        var root = $"cd '{Repository.Root}'; ";
        await workshop.ShellAsync(root + command.Replace(Output, $"-o '{workshop.At("feed")}' {string.Join(' ', options.Select(static option => $"'{option}'"))}", StringComparison.Ordinal));
        await Assert.ThrowsAsync<InvalidOperationException>(() => workshop.ShellAsync(root + command.Replace("in Objects", "in NoSuchProject Objects", StringComparison.Ordinal)));
    }

    private static void Look(Workshop workshop, string id, string version)
    {
        using var package = ZipFile.OpenRead(workshop.At($"feed/{id}.{version}.nupkg"));
        var names = package.Entries.Select(static entry => entry.FullName).ToList();
        foreach (var name in new[] { "README.md", "icon.png", $"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml", "lib/netstandard2.0/_._", $"buildTransitive/netstandard2.0/{id}.targets" })
        {
            Assert.Contains(name, names);
        }

        var metadata = Metadata(package, id);
        string? Value(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;
        Assert.Equal("MIT", Value("license"));
        Assert.Equal("README.md", Value("readme"));
        Assert.Equal("icon.png", Value("icon"));
        Assert.NotEmpty(Value("description")!);
        Assert.NotEqual("Package Description", Value("description"));
        var repository = metadata.Elements().Single(static element => element.Name.LocalName == "repository");
        Assert.Equal("https://example.org/detection.git", repository.Attribute("url")?.Value);
        Assert.Equal(40, repository.Attribute("commit")?.Value.Length);

        using var symbols = ZipFile.OpenRead(workshop.At($"feed/{id}.{version}.snupkg"));
        Assert.Contains(symbols.Entries, entry => entry.FullName == $"lib/net10.0/{id}.pdb");
    }

    private static List<string> Dependencies(Workshop workshop, string id, string version)
    {
        using var package = ZipFile.OpenRead(workshop.At($"feed/{id}.{version}.nupkg"));
        return [.. Metadata(package, id).Descendants().Where(static element => element.Name.LocalName == "dependency").Select(static element => element.Attribute("id")!.Value).Order(StringComparer.Ordinal)];
    }

    private static XElement Metadata(ZipArchive package, string id)
    {
        using var text = package.GetEntry($"{id}.nuspec")!.Open();
        return XDocument.Load(text).Root!.Elements().Single();
    }

    /// <summary>A sample outside the repository, with packages instead of projects.</summary>
    private static async Task CopySampleAsync(Workshop workshop, string sample, string project, string version)
    {
        var from = Path.Combine(Repository.Root, "samples", sample);
        var text = await File.ReadAllTextAsync(Path.Combine(from, $"{sample}.csproj"));
        Assert.Contains($"""<ProjectReference Include="../../src/{project}/Detection.{project}.csproj" />""", text, StringComparison.Ordinal);
        text = ReferencedProject().Replace(text, $"""<PackageReference Include="$1" Version="{version}" />""");
        workshop.Write($"{sample}/{sample}.csproj", text.Replace("<PropertyGroup>", $"<PropertyGroup><RestoreAdditionalProjectSources>{workshop.At("feed")}</RestoreAdditionalProjectSources>", StringComparison.Ordinal));
        foreach (var file in Directory.EnumerateFiles(from).Where(static file => Path.GetFileName(file) is "Program.cs" or "appsettings.json"))
        {
            workshop.Write($"{sample}/{Path.GetFileName(file)}", await File.ReadAllTextAsync(file));
        }
    }

    private static async Task EmbedAsync(Workshop workshop, string version)
    {
        await CopySampleAsync(workshop, "CountPeople", "AspNetCore", version);
        await workshop.DotnetAsync("build", workshop.At("CountPeople"), "-o", workshop.At("built"), "-warnaserror");
        Assert.DoesNotContain(Directory.EnumerateFiles(workshop.At("built"), "*.dll", SearchOption.AllDirectories), static file => Path.GetFileName(file).StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal));

        await using var cluster = await DetectionCluster.StartAsync(silos: 1, frontends: 0);
        var settings = new Dictionary<string, string?>(cluster.Redis.ClientEnvironment) { [DetectionSettings.Redis] = cluster.Redis.ConnectionString };
        await CountAsync(workshop, "CountPeople", "built/CountPeople.dll", settings, static async (http, url) => Assert.Equal("Healthy", await http.GetStringAsync(new Uri(url, "/health/ready"))));
    }

    /// <summary>Projects that cannot work do not build.</summary>
    private static async Task RefuseAsync(Workshop workshop)
    {
        var project = await File.ReadAllTextAsync(workshop.At("CountPeople/CountPeople.csproj"));
        workshop.Write("Older/Older.csproj", project.Replace("net10.0", "net8.0", StringComparison.Ordinal));
        var older = await Assert.ThrowsAsync<InvalidOperationException>(() => workshop.DotnetAsync("build", workshop.At("Older")));
        Assert.Contains("DETECTION001", older.Message, StringComparison.Ordinal);
        var trimmed = await Assert.ThrowsAsync<InvalidOperationException>(() => workshop.DotnetAsync("publish", workshop.At("CountPeople"), "-o", workshop.At("trimmed"), "-r", "linux-x64", "-p:PublishTrimmed=true"));
        Assert.Contains("DETECTION002", trimmed.Message, StringComparison.Ordinal);
    }

    /// <summary>An application that hosts a silo, its client and its Redis, built here and published for one system.</summary>
    private static async Task HostAsync(Workshop workshop, string version)
    {
        await CopySampleAsync(workshop, "OneProcess", "Embedded", version);
        await workshop.DotnetAsync("build", workshop.At("OneProcess"), "-o", workshop.At("hosted"), "-warnaserror");
        var system = RuntimeInformation.RuntimeIdentifier;
        Assert.Equal([system], Directory.EnumerateDirectories(workshop.At("hosted/runtimes"), "native", SearchOption.AllDirectories).Select(static folder => Path.GetFileName(Path.GetDirectoryName(folder))));
        await workshop.DotnetAsync("publish", workshop.At("OneProcess"), "-o", workshop.At("published"), "-r", "linux-x64", "--self-contained", "false", "-warnaserror");
        var size = Directory.EnumerateFiles(workshop.At("published"), "*", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length) >> 20;
        TestContext.Current.TestOutputHelper?.WriteLine($"OneProcess: {size} MB");
        Assert.InRange(size, 30, 200);
        await CountAsync(workshop, "OneProcess", "published/OneProcess.dll", new Dictionary<string, string?> { [DetectionSettings.Redis] = null }, static (_, _) => Task.CompletedTask);
    }

    private static async Task CountAsync(Workshop workshop, string name, string program, Dictionary<string, string?> settings, Func<HttpClient, Uri, Task> look)
    {
        var url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackPorts.Next()}"));
        settings["ASPNETCORE_URLS"] = url.ToString().TrimEnd('/');
        await using var application = ChildProcess.Start(name, "dotnet", [workshop.At(program)], settings, workshop.Folder);
        using var http = new HttpClient();
        await Eventually.Async(
            async limit =>
            {
                using var picture = Picture.Content();
                using var answer = await http.PostAsync(new Uri(url, "/people"), picture, limit);
                return answer.IsSuccessStatusCode && await answer.Content.ReadFromJsonAsync<int>(limit) == 1;
            },
            TimeSpan.FromSeconds(90),
            "the sample counts one person");
        using var refused = await http.PostAsync(new Uri(url, "/people"), new StringContent("no picture"));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("not-a-picture", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await look(http, url);
        Assert.Equal(0, await application.StopAsync());
    }

    private static async Task InstallAsync(Workshop workshop, string version)
    {
        await workshop.DotnetAsync("tool", "install", "Detection.Tool", "--version", version, "--tool-path", workshop.At("tools"), "--add-source", workshop.At("feed"));
        var written = await workshop.RunAsync(workshop.At("tools/detection"), ["detect", Picture.File]);
        Assert.Contains("person", written, StringComparison.Ordinal);
    }

    [GeneratedRegex("""<ProjectReference Include="../../src/\w+/([\w.]+)\.csproj" />""")]
    private static partial Regex ReferencedProject();
}
