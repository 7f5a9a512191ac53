using System.ComponentModel.DataAnnotations;
using System.Net;
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

        return await RunAsync(create, arguments);
    }

    /// <summary>Builds an application and runs it. A wrong setting or an address in use is reported in a sentence, without a stack trace.</summary>
    /// <param name="create">Builds the application.</param>
    /// <param name="arguments">The command line, so that messages name a setting as it was written.</param>
    /// <returns>The exit code: 0, 1 when it could not start, <see cref="SiloShutdown.ExitCode"/> when only a new process can continue.</returns>
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
            RequireAddresses(app.Configuration);
            try
            {
                await app.StartAsync();
            }
            catch (Exception e) when (e is OperationCanceledException or OrleansLifecycleCanceledException && stopping.IsCancellationRequested)
            {
                return 0; // Stopped while it started.
            }
            catch (Exception e) when (FindFaults(e) is null)
            {
                // The host has logged it with its stack trace.
                await Console.Error.WriteLineAsync(
                    $"Cannot start: {(IsOutage(e) ? "Redis does not answer; start again when it does" : "the start failed; the log says where")}: {e.GetBaseException().Message}");
                return 1;
            }

            await app.WaitForShutdownAsync();
            return app.Services.GetService<SiloShutdown>() is { IsRequested: true } ? SiloShutdown.ExitCode : 0;
        }
        catch (Exception e) when (FindFaults(e) is not null)
        {
            await Console.Error.WriteLineAsync($"Cannot start: {string.Join(' ', FindFaults(e)!.Select(fault => SettingNames.AsWritten(fault, arguments)))}");
            return 1;
        }
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

    /// <summary>Checked before anything is started, so that little has to be undone.</summary>
    private static void RequireAddresses(IConfiguration configuration)
    {
        foreach (var url in configuration["urls"]?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [])
        {
            var address = BindingAddress.Parse(url);
            var host = IPAddress.TryParse(address.Host, out var ip) ? ip : address.Host == "localhost" ? IPAddress.Loopback : IPAddress.Any;
            if (address is { Port: not 0, IsUnixPipe: false, IsNamedPipe: false } && !FreePort.IsFree(address.Port, host))
            {
                throw new AddressInUseException($"Another process listens on {url}. Choose another address, such as --urls http://localhost:{address.Port + 10}.");
            }
        }
    }
}
