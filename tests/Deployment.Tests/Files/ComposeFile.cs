using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Detection.Deployment.Tests.Files;

/// <summary>
/// <c>compose.yaml</c>, read into the part of the Compose specification that it uses: an unknown key, or a value of another
/// type, is an error.
/// </summary>
internal sealed class ComposeFile
{
    public const string Path = "compose.yaml";

    public string Name { get; set; } = "";

    [YamlMember(Alias = "x-cluster", ApplyNamingConventions = false)]
    public ComposeService? Cluster { get; set; }

    public Dictionary<string, ComposeService> Services { get; set; } = [];

    public Dictionary<string, object?> Volumes { get; set; } = [];

    public static ComposeFile Read()
    {
        using var text = File.OpenText(System.IO.Path.Combine(Repository.Root, Path));
        var deserializer = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).WithDuplicateKeyChecking().Build();
        return deserializer.Deserialize<ComposeFile>(new MergingParser(new Parser(text)));
    }
}

internal sealed class ComposeService
{
    public string? Image { get; set; }

    public ComposeBuild? Build { get; set; }

    public string? User { get; set; }

    public List<string> Profiles { get; set; } = [];

    public List<string> Command { get; set; } = [];

    public Dictionary<string, string> Environment { get; set; } = [];

    public List<string> Ports { get; set; } = [];

    public List<string> Volumes { get; set; } = [];

    public ComposeHealth? Healthcheck { get; set; }

    public Dictionary<string, ComposeCondition> DependsOn { get; set; } = [];

    public ComposeDeployment? Deploy { get; set; }

    public string? Restart { get; set; }

    public string? StopGracePeriod { get; set; }

    public bool ReadOnly { get; set; }

    public List<string> Tmpfs { get; set; } = [];

    public List<string> CapDrop { get; set; } = [];

    public List<string> SecurityOpt { get; set; } = [];
}

internal sealed class ComposeBuild
{
    public string Context { get; set; } = "";

    public string Dockerfile { get; set; } = "";

    public string Target { get; set; } = "";

    public Dictionary<string, string> Args { get; set; } = [];
}

internal sealed class ComposeHealth
{
    public List<string> Test { get; set; } = [];

    public string? Interval { get; set; }

    public string? Timeout { get; set; }

    public int Retries { get; set; }
}

internal sealed class ComposeCondition
{
    public string Condition { get; set; } = "";
}

internal sealed class ComposeDeployment
{
    public int Replicas { get; set; } = 1;

    public ComposeResources? Resources { get; set; }
}

internal sealed class ComposeResources
{
    public ComposeLimits? Limits { get; set; }

    public ComposeReservations? Reservations { get; set; }
}

internal sealed class ComposeLimits
{
    public string Memory { get; set; } = "";

    public int Pids { get; set; }
}

internal sealed class ComposeReservations
{
    public List<ComposeDevice> Devices { get; set; } = [];
}

internal sealed class ComposeDevice
{
    public string Driver { get; set; } = "";

    public string Count { get; set; } = "";

    public List<string> Capabilities { get; set; } = [];
}
