using System.Text.Json;
using System.Text.RegularExpressions;

namespace Detection.Deployment.Tests.Files;

/// <summary>The files and commands that the Dockerfile names exist. No container engine builds it here.</summary>
public sealed partial class DockerfileTests
{
    public static readonly TheoryData<string, string> Programs = new() { { "silo", "Silo" }, { "frontend", "Frontend" } };

    [Fact]
    public void Copied_files_exist_and_are_not_ignored()
    {
        var sources = Dockerfile.Instructions.Where(static instruction => instruction.Name == "COPY" && !instruction.Arguments.StartsWith("--from", StringComparison.Ordinal))
            .SelectMany(static instruction => instruction.Arguments.Split(' ')[..^1])
            .ToList();
        var sent = File.ReadAllLines(Path.Combine(Repository.Root, ".dockerignore")).Where(static line => line.StartsWith('!')).Select(static line => line[1..]).ToList();

        Assert.NotEmpty(sources);
        Assert.All(sources, static source => Assert.True(Path.Exists(Path.Combine(Repository.Root, source)), $"{source} does not exist."));
        Assert.Equal(sent.Order(), sources.Order());
    }

    [Fact]
    public void Everything_that_the_projects_take_from_outside_src_is_copied()
    {
        var sources = Dockerfile.Instructions.Where(static instruction => instruction.Name == "COPY").SelectMany(static instruction => instruction.Arguments.Split(' ')[..^1]).ToList();
        var projects = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories);
        foreach (var project in projects.Append(Path.Combine(Repository.Root, "Directory.Build.targets")))
        {
            foreach (Match outside in Outside().Matches(File.ReadAllText(project)))
            {
                var path = outside.Groups[1].Value;
                Assert.True(
                    sources.Any(source => path == source || path.StartsWith(source + "/", StringComparison.Ordinal)),
                    $"{project} takes {path}, which {Dockerfile.Path} does not copy.");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Each_image_starts_its_program_as_an_unprivileged_user(string stage, string folder)
    {
        var entry = JsonSerializer.Deserialize<string[]>(Dockerfile.Last(stage, "ENTRYPOINT"))!;
        var project = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", folder), "*.csproj").Single();

        Assert.Equal([$"./{Path.GetFileNameWithoutExtension(project)}"], entry);
        Assert.Equal($"--from=build /published/{folder} ./", Dockerfile.Last(stage, "COPY"));
        Assert.Contains(folder, Dockerfile.Last("build", "RUN"), StringComparison.Ordinal);
        Assert.True(int.Parse(Dockerfile.Last(stage, "USER").Split(':')[0], System.Globalization.CultureInfo.InvariantCulture) > 0);
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Each_image_listens_at_the_address_of_its_health_check(string stage, string folder)
    {
        var environment = Dockerfile.Of(stage).Where(static instruction => instruction.Name == "ENV").Select(static instruction => instruction.Arguments.Split('=', 2)).ToDictionary(static pair => pair[0], static pair => pair[1]);
        var port = ContainerEnvironment.Port(environment["ASPNETCORE_URLS"]);

        Assert.All(environment, static pair => ContainerEnvironment.Check(Dockerfile.Path, pair.Key, pair.Value));
        Assert.Contains(port.ToString(System.Globalization.CultureInfo.InvariantCulture), Dockerfile.Last(stage, "EXPOSE").Split(' '));
        Assert.Contains($"/dev/tcp/127.0.0.1/{port} ", Dockerfile.Last(stage, "HEALTHCHECK"), StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(Repository.Root, "src", folder)));
    }

    [Fact]
    public void Build_arguments_are_used()
    {
        var arguments = Dockerfile.Instructions.Where(static instruction => instruction.Name == "ARG").Select(static instruction => instruction.Arguments.Split('=')[0]);

        Assert.Equal(["ACCELERATOR", "BASE", "TARGETARCH"], arguments.Order());
        // The Dockerfile must spell the property as the project does: MSBuild ignores an unknown one.
        const string Property = "Accelerator";
        Assert.Contains($"-p:{Property}=\"$ACCELERATOR\"", Dockerfile.Last("build", "RUN"), StringComparison.Ordinal);
        Assert.Contains($"'$({Property})' == 'cuda'", File.ReadAllText(Path.Combine(Repository.Root, "src/Inference/Detection.Inference.csproj")), StringComparison.Ordinal);
    }

    /// <summary>The SDK runs on the system that builds, and the programs are for the system of the image: no compiler is emulated.</summary>
    [Fact]
    public void Programs_are_compiled_on_the_system_that_builds_for_the_system_of_the_image()
    {
        var platform = Dockerfile.Instructions.Where(static instruction => instruction.Name == "FROM").ToDictionary(static from => from.Stage, static from => from.Arguments);

        Assert.StartsWith("--platform=$BUILDPLATFORM ", platform["build"], StringComparison.Ordinal);
        Assert.All(platform.Where(static stage => stage.Key != "build"), static stage => Assert.DoesNotContain("--platform", stage.Value, StringComparison.Ordinal));
        Assert.Contains(" -a \"$TARGETARCH\" --self-contained ", Dockerfile.Last("build", "RUN"), StringComparison.Ordinal);
        foreach (var program in new[] { "Silo", "Frontend" })
        {
            Assert.True(File.Exists(Path.Combine(Repository.Root, "src", program, "packages.linux-x64.lock.json")));
            Assert.True(File.Exists(Path.Combine(Repository.Root, "src", program, "packages.linux-arm64.lock.json")));
        }
    }

    [GeneratedRegex(@"(?:\.\./\.\./|\$\(MSBuildThisFileDirectory\))([A-Za-z][\w./-]*)")]
    private static partial Regex Outside();
}
