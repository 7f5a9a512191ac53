using System.Collections.Concurrent;
using System.Diagnostics;
using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Objects;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Cluster.Tests;

/// <summary>
/// How the client affects the application around it, and which exceptions it throws. Each test repeats a defect of another client library; a
/// comment names the report.
/// </summary>
public sealed class ApplicationTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private static readonly DetectionOptions Patient = new() { Deadline = TimeSpan.FromSeconds(60) };
    private static readonly AsyncLocal<string?> Ambient = new();
    private static int _next = 770_000;

    [Fact]
    public async Task Using_disposes_of_the_container_and_the_next_container_works()
    {
        // Azure/azure-sdk-for-net#10472: clients that are not IDisposable, in containers.
        for (var round = 0; round < 2; round++)
        {
            IDetectionClient client;
            using (var services = Services())
            {
                client = services.GetRequiredService<IDetectionClient>();
                await client.DetectAsync(NewPicture(), Patient);
                SynchronizationContext.SetSynchronizationContext(new StuckContext());
            }

            SynchronizationContext.SetSynchronizationContext(null);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => client.DetectAsync(NewPicture(), Patient));
            await Assert.ThrowsAsync<ObjectDisposedException>(() => client.ConnectAsync());
        }
    }

    [Fact]
    public async Task Container_that_was_never_used_or_has_no_Redis_is_disposed_of()
    {
        Services().Dispose();
        var closed = LoopbackPorts.Next();
        using var services = new ServiceCollection().AddDetectionClient(options => options.Redis = $"127.0.0.1:{closed}").BuildServiceProvider();
        var client = services.GetRequiredService<IDetectionClient>();

        var error = await Assert.ThrowsAsync<DetectionException>(() => client.DetectAsync(NewPicture(), new DetectionOptions { Deadline = TimeSpan.FromSeconds(2) }));

        Assert.Equal(FailureReason.Unavailable, error.Reason);
    }

    [Fact]
    public async Task Token_cancelled_before_the_call_gives_no_answer_and_is_the_token_of_the_exception()
    {
        // aws/aws-sdk-net#827 and Azure/azure-sdk-for-net#39464: who cancelled, and which exception is thrown?
        await using var services = Services();
        var client = services.GetRequiredService<IDetectionClient>();
        var picture = NewPicture();
        var answer = await client.DetectAsync(picture, Patient);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var token = cancelled.Token;

        foreach (var call in new Func<Task>[]
        {
            () => client.DetectAsync(picture, Patient, token),
            () => client.DetectAsync(new MemoryStream(picture), Patient, token),
            () => client.SubmitAsync(picture, Patient, null, token),
            () => client.GetStatusAsync(answer.ImageKey, cancellationToken: token),
            () => client.FindAsync(answer.ImageKey, Patient, token),
            () => client.FindPictureAsync(answer.ImageKey, Patient, token),
            () => client.GetModelsAsync(token),
            () => client.ConnectAsync(token),
        })
        {
            var cancellation = await Assert.ThrowsAnyAsync<OperationCanceledException>(call);
            Assert.Equal(token, cancellation.CancellationToken);
        }

        Assert.Equal(AnswerSource.Cached, (await client.DetectAsync(picture, Patient)).Source);
    }

    [Fact]
    public async Task Token_cancelled_during_the_call_is_the_token_of_the_exception()
    {
        await using var services = Services();
        var client = services.GetRequiredService<IDetectionClient>();
        await client.DetectAsync(NewPicture(), Patient);
        using var leaving = new CancellationTokenSource();
        var silo = fixture.Cluster.Silos[0].Process;
        silo.Pause();
        try
        {
            var asking = client.DetectAsync(NewPicture(), Patient, leaving.Token);
            Assert.False(asking.IsCompleted);
            await leaving.CancelAsync();

            var cancellation = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);

            Assert.Equal(leaving.Token, cancellation.CancellationToken);
        }
        finally
        {
            silo.Resume();
        }

        Assert.Equal(AnswerSource.Computed, (await client.DetectAsync(NewPicture(), Patient)).Source);
    }

    [Fact]
    public async Task Wrong_arguments_throw_ArgumentException()
    {
        await using var services = Services();
        var client = services.GetRequiredService<IDetectionClient>();

        await Assert.ThrowsAsync<ArgumentException>(() => client.DetectAsync(new Uri("/photo.jpg", UriKind.Relative)));
        await Assert.ThrowsAsync<ArgumentException>(() => client.SubmitAsync(new Uri("photo.jpg", UriKind.Relative)));
        await Assert.ThrowsAsync<ArgumentNullException>(() => client.DetectAsync((Uri)null!));
        await Assert.ThrowsAsync<ArgumentNullException>(() => client.DetectAsync((Stream)null!));
        await Assert.ThrowsAsync<ArgumentNullException>(() => client.FindAsync(null!));
        await Assert.ThrowsAsync<ArgumentNullException>(() => client.FindPictureAsync(null!));
        await Assert.ThrowsAsync<ArgumentNullException>(() => client.GetStatusAsync(null!));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.DetectAsync(NewPicture(), new DetectionOptions { Threshold = 1.5f }));
    }

    [Fact]
    public async Task Thread_with_a_synchronization_context_that_blocks_on_the_answer_gets_it()
    {
        // StackExchange/StackExchange.Redis#2223: a continuation that needs the thread that waits for it.
        await using var services = Services();
        var client = services.GetRequiredService<IDetectionClient>();
        var picture = NewPicture();
        var answered = 0;
        var userInterface = new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new StuckContext());
            client.ConnectAsync().GetAwaiter().GetResult();
            client.DetectAsync(picture, Patient).GetAwaiter().GetResult();
            client.DetectAsync(new SlowStream(picture), Patient).GetAwaiter().GetResult();
            client.GetModelsAsync().GetAwaiter().GetResult();
            answered = 1;
        })
        { IsBackground = true };

        userInterface.Start();

        Assert.True(userInterface.Join(TimeSpan.FromSeconds(60)), "the thread still waits");
        Assert.Equal(1, answered);
    }

    [Fact]
    public async Task Connections_keep_no_ambient_values_of_the_first_request()
    {
        // grpc/grpc-dotnet#2129, dotnet/aspnetcore#29995: connections kept the trace and the HTTP request of the first call.
        var seen = new ConcurrentBag<string>();
        var loggers = new RecordingLoggers((category, _) =>
        {
            if (category.StartsWith("Orleans", StringComparison.Ordinal) && (Ambient.Value is not null || Activity.Current is not null))
            {
                seen.Add(category);
            }
        });
        await using var services = Services(LogLevel.Trace, logging => logging.AddProvider(loggers));
        Ambient.Value = "first";
        using (new Activity("first").Start())
        {
            await services.GetRequiredService<IDetectionClient>().ConnectAsync();
        }

        Ambient.Value = null;
        Assert.Contains(loggers.Categories, static category => category.StartsWith("Orleans", StringComparison.Ordinal));
        Assert.Empty(seen);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(LogLevel.Information, true)]
    public async Task Application_log_has_no_messages_of_the_connection_below_the_configured_level(LogLevel? level, bool hears)
    {
        var loggers = new RecordingLoggers();
        await using var services = Services(level, logging => logging.AddProvider(loggers));

        await services.GetRequiredService<IDetectionClient>().DetectAsync(NewPicture(), Patient);

        Assert.Equal(hears, loggers.Categories.Any(static category => !category.StartsWith("Detection.", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("", "ConnectionStrings:redis")]
    [InlineData("localhost:6379,colour=blue", "ConnectionStrings:redis")]
    [InlineData("localhost:6379,ssl=perhaps,password=hidden", "ConnectionStrings:redis")]
    public void Connection_string_missing_or_unreadable_is_reported_with_the_name_of_its_setting(string redis, string setting)
    {
        using var services = new ServiceCollection().AddDetectionClient(options => options.Redis = redis).BuildServiceProvider();

        var error = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IDetectionClient>());

        Assert.Contains(setting, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("field", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", error.Message, StringComparison.Ordinal);
    }

    private static byte[] NewPicture() => TestPictures.Unique(Interlocked.Increment(ref _next));

    private ServiceProvider Services(LogLevel? level = null, Action<ILoggingBuilder>? logging = null) => new ServiceCollection()
        .AddLogging(builder =>
        {
            builder.SetMinimumLevel(LogLevel.Trace);
            logging?.Invoke(builder);
        })
        .AddDetectionClient(options =>
        {
            options.Redis = fixture.Cluster.Redis.ConnectionString;
            options.ConnectionLogLevel = level ?? options.ConnectionLogLevel;
        })
        .BuildServiceProvider();

    /// <summary>The context of a thread that waits: it never runs what is posted.</summary>
    private sealed class StuckContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }

    /// <summary>Completes each read asynchronously.</summary>
    private sealed class SlowStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(1, cancellationToken).ConfigureAwait(false);
            return Read(buffer.Span);
        }
    }

    private sealed class RecordingLoggers(Action<string, LogLevel>? observer = null) : ILoggerProvider
    {
        private readonly ConcurrentDictionary<string, bool> _categories = new();

        public ICollection<string> Categories => _categories.Keys;

        public ILogger CreateLogger(string categoryName) => new Recording(this, categoryName);

        public void Dispose()
        {
        }

        private sealed class Recording(RecordingLoggers loggers, string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                loggers._categories.TryAdd(category, true);
                loggers.Observe(category, logLevel);
            }
        }

        private void Observe(string category, LogLevel level) => observer?.Invoke(category, level);
    }
}
