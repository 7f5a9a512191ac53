using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Runtime.InteropServices;
using Detection.Contracts.Storage;
using Detection.Grains.Health;
using Detection.Inference.Loading;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Detection.Hosting;

/// <summary>Runs a program of the cluster to its end.</summary>
public static class ProgramRun
{
    /// <summary>
    /// Puts an application together and runs it. A setting that is wrong and an address that is taken are said in a sentence, not by
    /// where in the program they were noticed.
    /// </summary>
    /// <param name="create">Puts it together.</param>
    /// <returns>The exit code: 0, 1 when it could not start, <see cref="SiloShutdown.ExitCode"/> when only a new process can go on.</returns>
    public static async Task<int> RunAsync(Func<WebApplication> create)
    {
        ArgumentNullException.ThrowIfNull(create);
        WorkerThreads.Reserve();
        var exitCode = await RunToEndAsync(create);
        UnendedLoads.EndProcess(exitCode);
        return exitCode;
    }

    private static async Task<int> RunToEndAsync(Func<WebApplication> create)
    {
        try
        {
            OpenFileLimit.Require();
            await using var app = create();
            var stopping = app.Lifetime.ApplicationStopping;

            // A terminal that is closed stops the program in order, as SIGTERM does.
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
            catch (Exception e) when (e is not (OptionsValidationException or ValidationException or AddressInUseException))
            {
                // The host has logged it with its stack trace.
                await Console.Error.WriteLineAsync(
                    $"Cannot start: {(IsOutage(e) ? "Redis does not answer; start again when it does" : "the start failed; the log says where")}: {e.GetBaseException().Message}");
                return 1;
            }

            await app.WaitForShutdownAsync();
            return app.Services.GetService<SiloShutdown>() is { IsRequested: true } ? SiloShutdown.ExitCode : 0;
        }
        catch (Exception e) when (e is OptionsValidationException or ValidationException or AddressInUseException || IsUnreadableSetting(e))
        {
            await Console.Error.WriteLineAsync($"Cannot start: {e.Message}");
            return 1;
        }
    }

    private static bool IsOutage(Exception? e) => e is not null && (RedisConnection.IsOutage(e) || IsOutage(e.InnerException));

    // The binder names the setting and the type that its value is not of.
    private static bool IsUnreadableSetting(Exception e) =>
        e is InvalidOperationException && e.Message.StartsWith("Failed to convert configuration value", StringComparison.Ordinal);

    /// <summary>Before anything has started, so that little has to be undone.</summary>
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
