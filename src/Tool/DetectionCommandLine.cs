using System.CommandLine;
using System.CommandLine.Invocation;
using Detection.Inference.Manifest;
using Detection.Tool.Bench;
using Detection.Tool.CommandLine;
using Detection.Tool.Detect;
using Detection.Tool.Eval;
using Detection.Tool.Inspect;
using Detection.Tool.Keys;
using Detection.Tool.Pull;

namespace Detection.Tool;

/// <summary>The command line: its commands, and the output of errors.</summary>
internal static class DetectionCommandLine
{
    /// <summary>Time to stop after Ctrl-C, so that the current pictures can finish.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(20);

    /// <summary>Runs a command and returns the exit code.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var root = new RootCommand("Detects objects in pictures on this machine; inspects, evaluates and times ONNX detectors; pulls models; makes keys for servers.")
        {
            DetectCommand.Create(),
            InspectCommand.Create(),
            EvalCommand.Create(),
            BenchCommand.Create(),
            PullCommand.Create(),
            KeyCommand.Create(),
        };
        var parsed = root.Parse(arguments);
        if (parsed.Action is ParseErrorAction wrong)
        {
            wrong.ShowHelp = false;
            await parsed.InvokeAsync();
            return ExitCode.WrongUsage;
        }

        if (UnknownOption.Find(parsed) is { } unknown)
        {
            await Console.Error.WriteLineAsync(unknown);
            return ExitCode.WrongUsage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = StopTime,
            });
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return ExitCode.Stopped;
        }
        catch (Exception e) when (e is CommandException or ModelException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"error: {e.Message.ReplaceLineEndings(" ")}");
            return ExitCode.Failed;
        }
    }
}
