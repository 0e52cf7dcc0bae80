// Asio's separately compiled part, once for all modules.
#include <boost/asio/impl/src.hpp>
