using Microsoft.Extensions.Logging;

namespace Detection.Client;

/// <summary>The application's loggers, as the connection to the cluster may use them: what is below a level does not reach them.</summary>
/// <param name="loggers">The loggers of the application, which it disposes of.</param>
/// <param name="least">The lowest level that reaches them.</param>
internal sealed class ConnectionLoggers(ILoggerFactory loggers, LogLevel least) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new Connection(loggers.CreateLogger(categoryName), least);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // They are the application's.
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
