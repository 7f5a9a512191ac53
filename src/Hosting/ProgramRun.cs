using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using Detection.Contracts.Storage;
using Detection.Grains.Health;
using Detection.Hosting.Settings;
using Detection.Inference.Loading;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Detection.Hosting;

/// <summary>Runs a program of the cluster.</summary>
public static class ProgramRun
{
    /// <summary>Answers <c>--help</c> and <c>--version</c>, or runs the program.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="create">Builds the application.</param>
    /// <returns>The exit code, as <see cref="RunAsync(Func{WebApplication}, IReadOnlyCollection{string})"/>.</returns>
    public static async Task<int> RunAsync(ProgramDescription program, string[] arguments, Func<WebApplication> create)
    {
        if (ProgramHelp.Answer(program, arguments) is { } answer)
        {
            await Console.Out.WriteLineAsync(answer);
            return 0;
        }

        if (CommandLine.FindFaults(arguments) is { Count: > 0 } faults)
        {
            await Console.Error.WriteLineAsync($"Cannot start: {string.Join(' ', faults)}");
            return 1;
        }

        return await RunAsync(create, arguments);
    }

    /// <summary>Builds an application and runs it. A wrong setting or an address in use is reported in a sentence, without a stack trace.</summary>
    /// <param name="create">Builds the application.</param>
    /// <param name="arguments">The command line, so that messages name a setting as it was written.</param>
    /// <returns>The exit code: 0, 1 when it could not start or a background service failed, <see cref="SiloShutdown.ExitCode"/> when only a new process can continue.</returns>
    public static async Task<int> RunAsync(Func<WebApplication> create, IReadOnlyCollection<string>? arguments = null)
    {
        ArgumentNullException.ThrowIfNull(create);
        WorkerThreads.Reserve();
        var exitCode = await RunToEndAsync(create, arguments ?? []);
        UnendedLoads.EndProcess(exitCode);
        return exitCode;
    }

    private static async Task<int> RunToEndAsync(Func<WebApplication> create, IReadOnlyCollection<string> arguments)
    {
        try
        {
            OpenFileLimit.Require();
            await using var app = create();
            var stopping = app.Lifetime.ApplicationStopping;

            // Closing the terminal stops the program gracefully, as SIGTERM does.
            using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                app.Lifetime.StopApplication();
            });
            app.Services.GetService<IStartupValidator>()?.Validate();
            ListenedAddresses.Require(app.Configuration);
            try
            {
                await app.StartAsync();
            }
            catch (Exception e) when (e is OperationCanceledException or OrleansLifecycleCanceledException && stopping.IsCancellationRequested)
            {
                // Stopped while it started.
                return await ReportFailedAsync(app.Services) ? 1 : 0;
            }
            catch (Exception e) when (FindFaults(e) is null)
            {
                // The host has logged it with its stack trace.
                await Console.Error.WriteLineAsync(
                    $"Cannot start: {(IsOutage(e) ? "Redis does not answer; start again when it does" : "the start failed; the log says where")}: {e.GetBaseException().Message}");
                return 1;
            }

            await app.WaitForShutdownAsync();
            if (app.Services.GetService<SiloShutdown>() is { IsRequested: true })
            {
                return SiloShutdown.ExitCode;
            }

            return await ReportFailedAsync(app.Services) ? 1 : 0;
        }
        catch (Exception e) when (FindFaults(e) is not null)
        {
            await Console.Error.WriteLineAsync($"Cannot start: {string.Join(' ', FindFaults(e)!.Select(fault => SettingNames.AsWritten(fault, arguments)))}");
            return 1;
        }
    }

    /// <summary>Whether the host stopped because a background service failed. The host has logged it with its stack trace.</summary>
    private static async Task<bool> ReportFailedAsync(IServiceProvider services)
    {
        if (services.GetServices<IHostedService>().OfType<BackgroundService>().FirstOrDefault(static service => service.ExecuteTask is { IsFaulted: true }) is not { } failed)
        {
            return false;
        }

        await Console.Error.WriteLineAsync($"Ended because {failed.GetType().Name} failed: {failed.ExecuteTask!.Exception!.GetBaseException().Message}");
        return true;
    }

    private static bool IsOutage(Exception? e) => e is not null && (RedisConnection.IsOutage(e) || IsOutage(e.InnerException));

    /// <summary>The faults in the settings or the machine, a sentence each; <see langword="null"/> for another failure.</summary>
    private static IEnumerable<string>? FindFaults(Exception e) => e switch
    {
        OptionsValidationException invalid => invalid.Failures,
        AggregateException several when several.InnerExceptions.All(static inner => FindFaults(inner) is not null) => several.InnerExceptions.SelectMany(static inner => FindFaults(inner)!),
        ValidationException or AddressInUseException => [e.Message],
        _ when IsUnreadableSetting(e) => [e.Message],
        _ => null,
    };

    // A setting of the framework: the message of the binder names it and its type.
    private static bool IsUnreadableSetting(Exception e) =>
        e is InvalidOperationException && e.Message.StartsWith("Failed to convert configuration value", StringComparison.Ordinal);
}
