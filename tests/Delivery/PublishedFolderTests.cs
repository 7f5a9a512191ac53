using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Detection.Delivery;

/// <summary>
/// Self-contained folders, built from only the files that the Dockerfile copies, with its command, and started as in its images:
/// without .NET, with an empty environment, as a user without rights (when the tests run as root), in a read-only folder.
/// </summary>
public sealed partial class PublishedFolderTests
{
    [Fact]
    public async Task Front_end_and_silo_start_without_dotnet_and_detect()
    {
        await using var workshop = new Workshop();
        await PublishAsync(workshop, RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64");
        await workshop.RunAsync("chmod", ["-R", "a+rX,a-w", workshop.Folder]);
        await using var redis = await RedisServer.StartAsync();
        using var http = new HttpClient();
        var settings = redis.ClientEnvironment.Append(new("ConnectionStrings__redis", redis.ConnectionString)).ToList();

        await using (var alone = Start(workshop, "Frontend", [], out var aloneUrl))
        {
            await ReadyAsync(http, alone, aloneUrl);
            await Picture.DetectAsync(http, aloneUrl);
            Assert.Equal(0, await alone.StopAsync());
        }

        await using var silo = Start(workshop, "Silo", settings, out var siloUrl);
        await using var frontend = Start(workshop, "Frontend", settings, out var frontendUrl);
        await ReadyAsync(http, silo, siloUrl);
        await ReadyAsync(http, frontend, frontendUrl);
        await Picture.DetectAsync(http, frontendUrl);
        Assert.Equal(0, await silo.StopAsync());
        Assert.Equal(0, await frontend.StopAsync());
    }

    /// <summary>The image of each architecture has native files of this architecture only, and all files that the programs load.</summary>
    [Theory]
    [InlineData("amd64", 0x3E)]
    [InlineData("arm64", 0xB7)]
    public async Task Every_native_file_is_for_the_system_of_the_image(string architecture, int machine)
    {
        await using var workshop = new Workshop();
        await PublishAsync(workshop, architecture);
        foreach (var program in Programs)
        {
            var folder = workshop.At($"published/{program}");
            var machines = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(static file => (Name: Path.GetFileName(file), Machine: ElfMachine(file)))
                .Where(static file => file.Machine is not null).ToDictionary(static file => file.Name, static file => file.Machine!.Value);

            Assert.All(machines, file => Assert.Equal((file.Key, machine), (file.Key, file.Value)));
            Assert.Superset(new HashSet<string> { $"Detection.{program}", "libcoreclr.so", "libonnxruntime.so", "libSkiaSharp.so" }, machines.Keys.ToHashSet());
            Assert.False(Directory.Exists(Path.Combine(folder, "runtimes")));
            Assert.True(File.Exists(Path.Combine(folder, "models/nanodet-g/model.onnx")));
        }
    }

    private static readonly string[] Programs = ["Silo", "Frontend"];

    private static async Task PublishAsync(Workshop workshop, string architecture)
    {
        var dockerfile = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy", "Dockerfile"));
        foreach (Match copy in Copied().Matches(dockerfile))
        {
            foreach (var source in copy.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                Copy(Path.Combine(Repository.Root, source), workshop.At(Path.Combine("source", source)));
            }
        }

        var publish = Publish().Match(dockerfile).Groups[1].Value.Replace("\\\n", " ", StringComparison.Ordinal);
        foreach (var program in Programs)
        {
            var command = publish.Replace("$program", program, StringComparison.Ordinal).Replace("$ACCELERATOR", "cpu", StringComparison.Ordinal)
                .Replace("$TARGETARCH", architecture, StringComparison.Ordinal)
                .Replace("/published/", workshop.At("published/"), StringComparison.Ordinal);
            // As in the image build: only the packages of the lock files are accepted.
            await workshop.RunAsync("bash", ["-c", $"cd '{workshop.At("source")}' && CI=true {command}"]);
            var size = Directory.EnumerateFiles(workshop.At($"published/{program}"), "*", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length) >> 20;
            TestContext.Current.TestOutputHelper?.WriteLine($"{program}: {size} MB");
            Assert.InRange(size, 50, 300);
        }
    }

    /// <summary>The machine type of an ELF file; null for other files.</summary>
    private static int? ElfMachine(string file)
    {
        Span<byte> header = stackalloc byte[20];
        using var stream = File.OpenRead(file);
        return stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length && header.StartsWith("\u007FELF"u8)
            ? header[18] | (header[19] << 8)
            : null;
    }

    private static ChildProcess Start(Workshop workshop, string program, IEnumerable<KeyValuePair<string, string?>> settings, out Uri url)
    {
        url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackPorts.Next()}"));
        string[] user = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid", "1654", "--regid", "1654", "--clear-groups"] : [];
        string[] command =
        [
            .. user, "env", "-i", "PATH=/nowhere", $"ASPNETCORE_URLS={url.ToString().TrimEnd('/')}",
            .. settings.Select(static setting => $"{setting.Key}={setting.Value}"),
            workshop.At($"published/{program}/Detection.{program}"),
        ];
        return ChildProcess.Start(program, command[0], command[1..], workingDirectory: "/");
    }

    private static Task ReadyAsync(HttpClient http, ChildProcess process, Uri url) => Eventually.Async(
        async limit =>
        {
            if (process.HasExited)
            {
                throw new ConditionHopelessException(process.Failure("ended").Message);
            }

            using var answer = await http.GetAsync(new Uri(url, DetectionSettings.ReadyPath), limit);
            return answer.IsSuccessStatusCode;
        },
        TimeSpan.FromSeconds(90),
        $"{process.Name} is ready");

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        if (File.Exists(from))
        {
            File.Copy(from, to);
            return;
        }

        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(from, file);
            if (!relative.Split('/').Any(static part => part is "bin" or "obj"))
            {
                Copy(file, Path.Combine(to, relative));
            }
        }
    }

    [GeneratedRegex("^COPY ((?!--)[^\n]*) [^ \n]+$", RegexOptions.Multiline)]
    private static partial Regex Copied();

    [GeneratedRegex(@"(dotnet publish .*?) \|\| exit 1", RegexOptions.Singleline)]
    private static partial Regex Publish();
}
