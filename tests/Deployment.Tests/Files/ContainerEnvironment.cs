using System.ComponentModel;
using System.Text.RegularExpressions;
using Detection.Deployment.Tests.Configuration;

namespace Detection.Deployment.Tests.Files;

/// <summary>Environment variables of the programs in deployment files.</summary>
internal static partial class ContainerEnvironment
{
    /// <summary>Variables that ASP.NET Core, .NET and the drivers read.</summary>
    private static readonly string[] OfThePlatform = ["ConnectionStrings__redis", "ASPNETCORE_URLS", "DOTNET_EnableDiagnostics", "DOTNET_GCHeapHardLimitPercent"];

    /// <summary>Fails unless the variable is a setting of the programs, and its value, if there is one, is valid.</summary>
    public static void Check(string file, string name, string? value)
    {
        if (OfThePlatform.Contains(name))
        {
            return;
        }

        // All entries of a list count as the first one.
        var key = Number().Replace(name.Replace("__", ":", StringComparison.Ordinal), ":0");
        Assert.True(BoundSettings.All.TryGetValue(key, out var setting), $"{file}: {name} is no setting of the programs.");
        if (value is not null)
        {
            var type = Nullable.GetUnderlyingType(setting.Type) ?? setting.Type;
            Assert.True(
                type == typeof(string) || type == typeof(object) || TypeDescriptor.GetConverter(type).IsValid(value),
                $"{file}: {name}={value} is no {type.Name}.");
        }
    }

    /// <summary>The port of <c>http://*:8081</c>.</summary>
    public static int Port(string url) => int.Parse(PortOfUrl().Match(url).Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex(":[0-9]+(?=:|$)")]
    private static partial Regex Number();

    [GeneratedRegex(@"^http://\*:([0-9]+)$")]
    private static partial Regex PortOfUrl();
}
