using System.Globalization;
using System.Runtime.CompilerServices;

namespace Detection.Testing.Tests;

/// <summary>
/// When a test starts this program with <see cref="PidFile"/> in the environment, it is not a test host: it starts one child, writes
/// the child's id into that file and waits to be killed.
/// </summary>
internal static class KillableHost
{
    public const string PidFile = "DETECTION_TEST_PID_FILE";

    [ModuleInitializer]
    internal static void Run()
    {
        if (Environment.GetEnvironmentVariable(PidFile) is not { } pidFile)
        {
            return;
        }

        var child = ChildProcess.Start("child", "sleep", ["120"]);
        File.WriteAllText(pidFile + ".new", child.Id.ToString(CultureInfo.InvariantCulture));
        File.Move(pidFile + ".new", pidFile);
        Environment.Exit(child.ExitAsync(TimeSpan.FromSeconds(130)).Wait(TimeSpan.FromSeconds(130)) ? 0 : 1);
    }
}
