using Microsoft.Extensions.Logging;

namespace Detection.Client;

/// <summary>The application's loggers without the messages below a level, for the connection to the cluster.</summary>
/// <param name="loggers">The loggers of the application, which disposes of them.</param>
/// <param name="least">The minimum level.</param>
internal sealed class ConnectionLoggers(ILoggerFactory loggers, LogLevel least) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new Connection(loggers.CreateLogger(categoryName), least);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // The application disposes of its loggers.
    }

    private sealed class Connection(ILogger logger, LogLevel least) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None && logger.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                logger.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
