using System.Globalization;

namespace Detection.Testing.Tests;

public sealed class ChildProcessTests
{
    private const string Count = "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.01; done";

    [Fact]
    public async Task Process_id_is_the_id_of_the_program()
    {
        await using var child = ChildProcess.Start("shell", "sh", ["-c", "echo $$; exec sleep 60"]);
        await Eventually.Async(() => child.Log.Length > 0, Eventually.Soon, "the shell has written its id");
        Assert.Equal(child.Id, int.Parse(child.Log, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Paused_process_does_nothing_and_resumed_process_continues()
    {
        await using var child = ChildProcess.Start("counter", "sh", ["-c", Count]);
        await GrowsAsync(child);

        child.Pause();
        await Eventually.Async(() => ProcessState.Of(child.Id) == 'T', Eventually.Soon, "it is stopped");
        Assert.False(child.HasExited);

        child.Resume();
        await GrowsAsync(child);
    }

    [Fact]
    public async Task Stopped_process_cleans_up_and_killed_process_does_not()
    {
        const string Tidy = "trap 'echo tidied; exit 7' TERM; echo ready; while true; do sleep 0.01; done";
        await using var stopped = ChildProcess.Start("stopped", "sh", ["-c", Tidy]);
        await using var killed = ChildProcess.Start("killed", "sh", ["-c", Tidy]);
        foreach (var child in new[] { stopped, killed })
        {
            await Eventually.Async(() => child.Log.Contains("ready", StringComparison.Ordinal), Eventually.Soon, "its trap is set");
        }

        Assert.Equal(7, await stopped.StopAsync(Eventually.Soon));
        Assert.EndsWith("tidied", stopped.Log, StringComparison.Ordinal);

        await killed.KillAsync();
        Assert.Equal(128 + 9, killed.ExitCode);
        Assert.Equal("ready", killed.Log);
        Assert.Contains("ended with 137", killed.Failure("failed").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Process_that_ignores_the_stop_is_reported_with_its_log_and_killed_at_dispose()
    {
        var child = ChildProcess.Start("stubborn", "sh", ["-c", "trap '' TERM; echo still here; while true; do sleep 0.01; done"]);
        await using (child)
        {
            await Eventually.Async(() => child.Log.Length > 0, Eventually.Soon, "its trap is set");
            var timeout = await Assert.ThrowsAsync<TimeoutException>(() => child.StopAsync(TimeSpan.FromMilliseconds(200)));
            Assert.Contains("still here", timeout.Message, StringComparison.Ordinal);
        }

        Assert.False(ProcessState.Exists(child.Id));
    }

    [Fact]
    public async Task Process_lives_when_the_thread_that_started_it_ends()
    {
        ChildProcess? child = null;
        var thread = new Thread(() => child = ChildProcess.Start("counter", "sh", ["-c", Count]));
        thread.Start();
        thread.Join();
        await using (child)
        {
            await GrowsAsync(child!);
            Assert.False(child!.HasExited);
        }
    }

    [Fact]
    public async Task Process_log_keeps_the_last_lines()
    {
        await using var child = ChildProcess.Start("writer", "sh", ["-c", "i=0; while [ $i -lt 6000 ]; do i=$((i+1)); echo line $i; done"]);
        await child.ExitAsync(Eventually.Soon);
        var lines = child.Log.Split('\n');
        Assert.Equal(5_001, lines.Length);
        Assert.Equal("… 1000 earlier lines", lines[0]);
        Assert.Equal("line 6000", lines[^1]);
        Assert.Equal("… 5999 earlier lines\nline 6000", child.LogTail(1));
    }

    [Fact]
    public async Task Process_dies_with_a_test_host_that_is_killed()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/setpriv"), "setpriv is not installed.");
        var pidFile = Path.Combine(Path.GetTempPath(), $"detection-{Guid.NewGuid():N}.pid");
        // This assembly runs again as the test host that is killed: see KillableHost.
        await using var host = ChildProcess.Start(
            "host",
            "dotnet",
            [typeof(ChildProcessTests).Assembly.Location],
            new Dictionary<string, string?> { [KillableHost.PidFile] = pidFile });
        try
        {
            await Eventually.Async(
                () => host.HasExited ? throw new ConditionHopelessException(host.Failure("ended").Message) : File.Exists(pidFile),
                Eventually.Soon,
                "the host has started its child");
            var child = int.Parse(await File.ReadAllTextAsync(pidFile, TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);
            Assert.True(ProcessState.Exists(child));

            await host.KillAsync();

            await Eventually.Async(() => !ProcessState.Exists(child), Eventually.Soon, "the child died with its host");
        }
        finally
        {
            File.Delete(pidFile);
        }
    }

    private static async Task GrowsAsync(ChildProcess child)
    {
        var before = child.Log.Length;
        await Eventually.Async(() => child.Log.Length > before, Eventually.Soon, "it writes more lines");
    }
}
