using System.Globalization;
using System.Net;
using System.Reflection;

namespace Detection.Testing;

/// <summary>
/// The built front end or silo as a process, as in production, on random loopback ports.
/// A project that uses it sets <c>StartsDetection</c> (tests/Directory.Build.props), so that both are built before it.
/// </summary>
public sealed class DetectionProcess : IAsyncDisposable
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(90);
    private readonly SocketsHttpHandler _handler = new();

    private DetectionProcess(string name, string folder, IReadOnlyDictionary<string, string?>? settings, int? openFiles = null)
    {
        Name = name;
        OpenFiles = openFiles;
        Url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackPorts.Next()}"));
        Http = new HttpClient(_handler) { BaseAddress = Url, Timeout = TimeSpan.FromSeconds(100) };
        Folder = Path.Combine(Repository.Root, folder);
        Settings = Defaults();
        foreach (var (key, value) in settings ?? new Dictionary<string, string?>())
        {
            Settings[key] = value;
        }

        Process = Start();
    }

    /// <summary>Name in messages: <c>frontend</c>, <c>silo</c> or the name that the test sets.</summary>
    public string Name { get; }

    /// <summary>Address of its HTTP server, without a path.</summary>
    public Uri Url { get; }

    /// <summary>A client whose base address is <see cref="Url"/>.</summary>
    public HttpClient Http { get; }

    /// <summary>Its environment variables, besides those of the tests. Changes apply at the next <see cref="StartAgainAsync"/>.</summary>
    public Dictionary<string, string?> Settings { get; }

    /// <summary>The running process; another one after <see cref="StartAgainAsync"/>.</summary>
    public ChildProcess Process { get; private set; }

    private string Folder { get; }

    private int? OpenFiles { get; }

    /// <summary>Starts the front end. Wait for it with <see cref="ReadyAsync"/>.</summary>
    /// <param name="settings">Environment variables such as <c>ConnectionStrings__redis</c>; null removes one.</param>
    /// <param name="openFiles">Maximum number of open files and connections (<c>ulimit -n</c>); null for no change.</param>
    public static DetectionProcess StartFrontend(
        IReadOnlyDictionary<string, string?>? settings = null, string name = "frontend", int? openFiles = null) =>
        new(name, "src/Frontend", settings, openFiles);

    /// <summary>Starts a silo. Wait for it with <see cref="ReadyAsync"/>.</summary>
    /// <param name="settings">Environment variables such as <c>ConnectionStrings__redis</c>; null removes one.</param>
    /// <param name="folder">The project, from the root of the repository; another program than the product's silo for tests of faults that the product cannot have.</param>
    public static DetectionProcess StartSilo(IReadOnlyDictionary<string, string?>? settings = null, string name = "silo", string folder = "src/Silo") =>
        new(name, folder, settings);

    /// <summary>Runs a program with a command line and without other settings, for its output and its exit code.</summary>
    /// <param name="folder">The project, from the root of the repository.</param>
    /// <param name="arguments">The command line.</param>
    public static ChildProcess Run(string folder, params string[] arguments)
    {
        var project = Path.Combine(Repository.Root, folder);
        return ChildProcess.Start(Path.GetFileName(folder), "dotnet", [Program(project), .. arguments], Defaults(), project);
    }

    /// <summary>Waits until <c>/health/ready</c> answers 200.</summary>
    /// <param name="deadline">Maximum wait; 90 s by default.</param>
    /// <exception cref="TimeoutException">It is not ready at the deadline; the message shows the end of its log.</exception>
    /// <exception cref="ConditionHopelessException">It ended; the message shows the end of its log.</exception>
    public async Task ReadyAsync(TimeSpan? deadline = null)
    {
        try
        {
            await Eventually.Async(
                async limit =>
                {
                    if (Process.HasExited)
                    {
                        await Process.ExitAsync(TimeSpan.FromSeconds(5));
                        throw new ConditionHopelessException(Process.Failure("ended before it was ready").Message);
                    }

                    return await IsReadyAsync(limit);
                },
                deadline ?? ReadyDeadline,
                $"{Name} is ready");
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"{exception.Message}\nThe last lines of {Name}:\n{Process.LogTail()}", exception);
        }
    }

    /// <summary>Whether <c>/health/ready</c> answers 200 now.</summary>
    /// <exception cref="HttpRequestException">Nothing listens.</exception>
    public async Task<bool> IsReadyAsync(CancellationToken cancellation = default)
    {
        using var answer = await Http.GetAsync(new Uri(DetectionSettings.ReadyPath, UriKind.Relative), cancellation);
        return answer.StatusCode == HttpStatusCode.OK;
    }

    /// <summary>SIGKILL.</summary>
    public Task KillAsync() => Process.KillAsync();

    /// <summary>SIGSTOP.</summary>
    public void Pause() => Process.Pause();

    /// <summary>SIGCONT.</summary>
    public void Resume() => Process.Resume();

    /// <summary>SIGTERM and wait for the end.</summary>
    /// <param name="deadline">Maximum wait; 30 s by default.</param>
    /// <returns>The exit code.</returns>
    public Task<int> StopAsync(TimeSpan? deadline = null) => Process.StopAsync(deadline);

    /// <summary>Restarts it with the same HTTP address and settings, after it has ended.</summary>
    /// <remarks>
    /// The Orleans ports are the same too, so the silo replaces the old one in the cluster. Remove or change them in <see cref="Settings"/>
    /// for a new silo.
    /// </remarks>
    public async Task StartAgainAsync()
    {
        if (!Process.HasExited)
        {
            throw new InvalidOperationException($"{Name} still runs.");
        }

        var ended = Process;
        Process = Start();
        await ended.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        _handler.Dispose();
        await Process.DisposeAsync();
        TestLog.Write($"{Name}: last lines", Process.LogTail(100));
    }

    private ChildProcess Start()
    {
        var program = Program(Folder);
        // The project's folder is the content root, as with `dotnet run`.
        string[] arguments = [program, "--urls", Url.ToString().TrimEnd('/')];
        return OpenFiles is null
            ? ChildProcess.Start(Name, "dotnet", arguments, Settings, Folder)
            : ChildProcess.Start(Name, "sh", ["-c", $"ulimit -n {OpenFiles}; exec dotnet \"$@\"", "dotnet", .. arguments], Settings, Folder);
    }

    private static string Program(string project)
    {
        var here = typeof(DetectionProcess).Assembly;
        var configuration = here.GetCustomAttribute<AssemblyConfigurationAttribute>()?.Configuration ?? "Debug";
        var framework = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var name = $"Detection.{Path.GetFileName(project)}";
        var path = Path.Combine(project, "bin", configuration, framework, name + ".dll");
        return File.Exists(path)
            ? path
            : throw new FileNotFoundException(
                $"'{path}' is not built. The test project must set <StartsDetection>true</StartsDetection>, see tests/Directory.Build.props.", path);
    }

    private static Dictionary<string, string?> Defaults() => new(StringComparer.Ordinal)
    {
        [DetectionSettings.SiloPort] = LoopbackPorts.Next().ToString(CultureInfo.InvariantCulture),
        [DetectionSettings.GatewayPort] = LoopbackPorts.Next().ToString(CultureInfo.InvariantCulture),
        // As in production; the shell of the tests may have other values.
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["DOTNET_ENVIRONMENT"] = "Production",
        ["ASPNETCORE_URLS"] = null,
        ["ASPNETCORE_HTTP_PORTS"] = null,
        // The process runs for a short time, and most of its start is compiling code that runs once.
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_TC_QuickJitForLoops"] = "1",
        // Variables of a test host or a coverage tool are not for this process.
        ["DOTNET_STARTUP_HOOKS"] = null,
        ["CORECLR_ENABLE_PROFILING"] = null,
    };
}
