namespace Detection.Frontend.Http.Drawing;

internal static class DrawingExtensions
{
    public static void AddDrawing(this IServiceCollection services) => services.AddSingleton<AnnotatedPictures>();
}
