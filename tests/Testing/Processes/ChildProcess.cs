using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Detection.Testing;

/// <summary>
/// A program that runs beside the tests and can be killed, paused and stopped. It ends when it is disposed of, and when
/// the test host ends for any reason (on Linux with setpriv; elsewhere only when it is disposed of).
/// </summary>
public sealed partial class ChildProcess : IAsyncDisposable
{
    private const int SigInt = 2;
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private static readonly int SigStop = OperatingSystem.IsMacOS() ? 17 : 19;
    private static readonly int SigCont = OperatingSystem.IsMacOS() ? 19 : 18;
    private static readonly TimeSpan KillDeadline = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly BoundedLog _log = new(capacity: 5_000);

    private ChildProcess(string name, Process process)
    {
        Name = name;
        _process = process;
        Id = process.Id;
        process.OutputDataReceived += (_, line) => _log.Add(line.Data);
        process.ErrorDataReceived += (_, line) => _log.Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Name in messages.</summary>
    public string Name { get; }

    /// <summary>The process id of the program itself.</summary>
    public int Id { get; }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Its exit code; 128 + n when signal n ended it.</summary>
    /// <exception cref="InvalidOperationException">The process still runs.</exception>
    public int ExitCode => _process.ExitCode;

    /// <summary>The last 5,000 lines of its standard output and error.</summary>
    public string Log => _log.Tail(int.MaxValue);

    /// <summary>Starts a program.</summary>
    /// <param name="name">Name in messages.</param>
    /// <param name="program">Path, or a name on the PATH.</param>
    /// <param name="environment">Added to the environment of the tests; a null value removes a variable.</param>
    public static ChildProcess Start(
        string name,
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null,
        string? workingDirectory = null)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var info = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = workingDirectory ?? "",
        };
        foreach (var argument in arguments)
        {
            info.ArgumentList.Add(argument);
        }

        foreach (var (key, value) in environment ?? new Dictionary<string, string?>())
        {
            if (value is null)
            {
                info.Environment.Remove(key);
            }
            else
            {
                info.Environment[key] = value;
            }
        }

        return new ChildProcess(name, ProcessStarter.Start(info));
    }

    /// <summary>The last lines of <see cref="Log"/>.</summary>
    public string LogTail(int lines = 60) => _log.Tail(lines);

    /// <summary>SIGKILL: the process cannot clean up. Returns after its end.</summary>
    public async Task KillAsync()
    {
        Signal(SigKill);
        await ExitAsync(KillDeadline);
    }

    /// <summary>SIGSTOP: the process keeps its connections and does nothing. Returns when all its threads have stopped.</summary>
    public void Pause()
    {
        Signal(SigStop);
        SpinWait.SpinUntil(() => !OperatingSystem.IsLinux() || Directory.EnumerateDirectories($"/proc/{_process.Id}/task").All(IsStopped), TimeSpan.FromSeconds(10));
    }

    /// <summary>SIGCONT: the process continues.</summary>
    public void Resume() => Signal(SigCont);

    /// <summary>SIGTERM, then waits until it has ended.</summary>
    /// <param name="deadline">Longest wait; 30 s by default.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="TimeoutException">It still runs at the deadline. It is not killed.</exception>
    public async Task<int> StopAsync(TimeSpan? deadline = null)
    {
        Signal(SigTerm);
        await ExitAsync(deadline ?? TimeSpan.FromSeconds(30));
        return ExitCode;
    }

    /// <summary>Sends SIGINT, as Ctrl+C does, and waits until the process has ended.</summary>
    /// <inheritdoc cref="StopAsync"/>
    public async Task<int> InterruptAsync(TimeSpan? deadline = null)
    {
        Signal(SigInt);
        await ExitAsync(deadline ?? TimeSpan.FromSeconds(30));
        return ExitCode;
    }

    /// <summary>Waits until it has ended and all of its output is in the log.</summary>
    /// <exception cref="TimeoutException">It still runs at the deadline.</exception>
    public async Task ExitAsync(TimeSpan deadline)
    {
        using var limit = new CancellationTokenSource(deadline);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // WaitForExit also waits for the end of the output, which a grandchild may keep open.
            if (!_process.HasExited)
            {
                throw new TimeoutException($"{Name} (pid {Id}) still runs after {deadline.TotalSeconds:0.#} s. Its last lines:\n{LogTail()}");
            }
        }
    }

    /// <summary>An exception with a message and the last lines of the log.</summary>
    public InvalidOperationException Failure(string what) => new(
        $"{Name} (pid {Id}) {what}{(HasExited ? $"; it ended with {ExitCode}" : "")}. Its last lines:\n{LogTail()}");

    public async ValueTask DisposeAsync()
    {
        try
        {
            await KillAsync();
        }
        finally
        {
            _process.Dispose();
        }
    }

    // "PID (NAME) STATE ...", as in proc(5).
    private static bool IsStopped(string task)
    {
        try
        {
            var status = File.ReadAllText(Path.Combine(task, "stat"));
            return status[status.LastIndexOf(')') + 2] == 'T';
        }
        catch (IOException)
        {
            // A thread that has ended.
            return true;
        }
    }

    private void Signal(int signal)
    {
        // Either the process is a child that was not waited for, or HasExited is true: the id cannot belong to another process.
        if (!_process.HasExited)
        {
            // ESRCH: the process ended in between. The caller wanted this, or the following wait sees it.
            _ = Kill(Id, signal);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int pid, int signal);
}
